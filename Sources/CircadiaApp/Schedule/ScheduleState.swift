import CircadiaFiles
import Foundation

/// The state of a folder's scheduled nights, kept in `logs/schedule.json`.
package struct ScheduleState: Codable, Sendable, Equatable {
    /// Nights that were due before this time are done.
    package var settled: Date
    /// The outcome of the last attempt, in one line.
    package var summary: String?
    /// When the last attempt ended.
    package var ended: Date?
    /// The exit code of the last attempt.
    package var status: Int32?

    /// Makes a state in which every night before `settled` is done.
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

    /// Reads the state of a folder; nil if there is none.
    package static func read(in folder: URL) -> ScheduleState? {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return (try? Data(contentsOf: url(in: folder)))
            .flatMap { try? decoder.decode(ScheduleState.self, from: $0) }
    }

    /// Writes the state to a folder.
    ///
    /// - Throws: `FileError`, or an error of the file system.
    package func save(in folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        let url = Self.url(in: folder)
        try Folder.create(url.deletingLastPathComponent())
        try DurableFile.replace(url, with: Array(try encoder.encode(self)) + [10])
    }
}
