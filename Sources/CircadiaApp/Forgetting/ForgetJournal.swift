import CircadiaConversation
import CircadiaFiles
import CircadiaLog
import Foundation

/// What a command that forgets, or takes that back, has set out to do. It is on the disk before
/// anything is changed, so that whoever comes after a crash completes it.
struct ForgetJournal: Codable, Sendable {
    enum Direction: String, Codable { case forget, undo }

    let direction: Direction
    /// Names the command; undone as one.
    let batch: String
    /// When it was asked for.
    let time: String
    /// The log that the numbers of lines belong to; nil where there is none.
    let file: FileIdentity?
    /// What goes, or comes back.
    let entries: [ForgottenEntry]
    /// The store's folder; nil where there is none.
    let storeFolder: String?
    /// The folder with the adapters.
    let adapterRoot: String
    /// Whether no undo is wanted.
    let purges: Bool

    var hashes: Set<ContentHash> { Set(entries.map(\.hash)) }
}

/// One exchange that was forgotten, and where it was.
struct ForgottenEntry: Codable, Sendable {
    /// The command that took it away.
    let batch: String
    /// When.
    let time: String
    /// The line of the log, counted from 1; 0 where only the store held it.
    let line: Int
    /// The line as it was, or the store's exchange as a line.
    let text: String
    let id: String
    /// The exchange's name in training manifests.
    let hash: ContentHash
    /// Whether the database held it.
    let wasStored: Bool
    /// The addresses of the Chroma collections that held it.
    let collections: [String]?
}

/// The files of forgetting beside a log.
struct ForgetFiles: Sendable {
    let log: URL

    /// The journal of a command that runs or was killed.
    var journal: URL { beside("forgetting") }
    /// What can be brought back: one entry a line.
    var undo: URL { beside("forgotten") }

    private func beside(_ suffix: String) -> URL {
        log.deletingLastPathComponent()
            .appendingPathComponent("\(log.lastPathComponent).\(suffix)")
    }

    /// Keeps other programs from forgetting at the same time; the end of the lock ends that.
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
