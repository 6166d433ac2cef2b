import CircadiaFiles
import Foundation

/// What is known of the scheduled nights of a folder: `logs/schedule.json`.
package struct ScheduleState: Codable, Sendable, Equatable {
    /// Nights that were due until then are done with.
    package var settled: Date
    /// What the last attempt came to, in one line.
    package var summary: String?
    /// When the last attempt ended.
    package var ended: Date?
    /// Its exit code.
    package var status: Int32?

    /// A state in which every night until `settled` is done with.
    package init(
        settled: Date, summary: String? = nil, ended: Date? = nil, status: Int32? = nil
    ) {
        self.settled = settled
        self.summary = summary
        self.ended = ended
        self.status = status
    }

    private static func url(in folder: URL) -> URL {
        folder.appendingPathComponent("logs/schedule.json")
    }

    /// Reads it; nil where there is none.
    package static func read(in folder: URL) -> ScheduleState? {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return (try? Data(contentsOf: url(in: folder)))
            .flatMap { try? decoder.decode(ScheduleState.self, from: $0) }
    }

    /// Keeps it.
    ///
    /// - Throws: `FileError`, or what the file system says.
    package func save(in folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        let url = Self.url(in: folder)
        try Folder.create(url.deletingLastPathComponent())
        try DurableFile.replace(url, with: Array(try encoder.encode(self)) + [10])
    }
}
