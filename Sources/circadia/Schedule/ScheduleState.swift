import CircadiaFiles
import Foundation

/// What is known of the scheduled nights of a folder: `logs/schedule.json`.
struct ScheduleState: Codable, Equatable {
    /// Nights that were due until then are done with.
    var settled: Date
    /// What the last attempt came to, in one line, and when it ended.
    var summary: String?
    var ended: Date?
    /// Its exit code.
    var status: Int32?

    private static func url(in folder: URL) -> URL {
        folder.appendingPathComponent("logs/schedule.json")
    }

    /// Reads it; nil where there is none.
    static func read(in folder: URL) -> ScheduleState? {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return (try? Data(contentsOf: url(in: folder)))
            .flatMap { try? decoder.decode(ScheduleState.self, from: $0) }
    }

    /// Keeps it.
    ///
    /// - Throws: `FormatError`, or what the file system says.
    func save(in folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        let url = Self.url(in: folder)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        try DurableFile.write(Array(try encoder.encode(self)) + [10], to: url)
    }
}
