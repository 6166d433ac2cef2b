import CircadiaConversation
import CircadiaFiles
import CircadiaLog
import Foundation

/// The plan of a command that forgets or undoes forgetting. It is on the disk before anything
/// changes, so that the next command after a crash completes it.
struct ForgetJournal: Codable, Sendable {
    enum Direction: String, Codable { case forget, undo }

    let direction: Direction
    /// The id of the command. An undo takes back one whole command.
    let batch: String
    /// The time of the command.
    let time: String
    /// The log file that the line numbers refer to; nil if there is none.
    let file: FileIdentity?
    /// The exchanges to remove or bring back.
    let entries: [ForgottenEntry]
    /// The store's folder; nil if there is none.
    let storeFolder: String?
    /// The folder with the adapters.
    let adapterRoot: String
    /// Whether to keep nothing for an undo.
    let purges: Bool

    var hashes: Set<ContentHash> { Set(entries.map(\.hash)) }
}

/// A forgotten exchange and the place it had.
struct ForgottenEntry: Codable, Sendable {
    /// The id of the command that removed it.
    let batch: String
    /// The time of that command.
    let time: String
    /// Its line in the log, counted from 1; 0 if only the store had it.
    let line: Int
    /// Its line in the log, or the store's exchange in the format of a line.
    let text: String
    let id: String
    /// Its hash in training manifests.
    let hash: ContentHash
    /// Whether the SQLite store had it.
    let wasStored: Bool
    /// The addresses of the Chroma collections that had it.
    let collections: [String]?
}

/// The files next to a log that record forgetting.
struct ForgetFiles: Sendable {
    let log: URL

    /// The journal of a running or killed command.
    var journal: URL { beside("forgetting") }
    /// The undo file: one `ForgottenEntry` on each line.
    var undo: URL { beside("forgotten") }

    private func beside(_ suffix: String) -> URL {
        log.deletingLastPathComponent()
            .appendingPathComponent("\(log.lastPathComponent).\(suffix)")
    }

    /// Takes the lock that keeps other programs from forgetting at the same time.
    func lock() throws -> FileLock {
        let folder = log.deletingLastPathComponent()
        try Folder.create(folder)
        return try FileLock(folder.appendingPathComponent(".\(log.lastPathComponent).lock"))
    }

    func readJournal() throws -> ForgetJournal? {
        guard let bytes = try DurableFile.read(journal) else { return nil }
        guard let read = try? JSONDecoder().decode(ForgetJournal.self, from: Data(bytes)) else {
            throw ForgetError.journalBroken(path: journal.path)
        }
        return read
    }

    func write(_ value: ForgetJournal) throws {
        try DurableFile.replace(journal, with: Self.json(value))
    }

    func readUndo() throws -> [ForgottenEntry] {
        guard let bytes = try DurableFile.read(undo) else { return [] }
        let decoder = JSONDecoder()
        var entries: [ForgottenEntry] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let entry = try? decoder.decode(ForgottenEntry.self, from: Data(line)) else {
                throw ForgetError.journalBroken(path: undo.path)
            }
            entries.append(entry)
        }
        return entries
    }

    func write(undo entries: [ForgottenEntry]) throws {
        if entries.isEmpty { return try DurableFile.remove(undo) }
        var bytes: [UInt8] = []
        for entry in entries { bytes += Self.json(entry) }
        try DurableFile.replace(undo, with: bytes)
    }

    private static func json(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try [UInt8](encoder.encode(value)) + [UInt8(ascii: "\n")]
        } catch {
            preconditionFailure("a journal could not be encoded: \(error)")
        }
    }
}
