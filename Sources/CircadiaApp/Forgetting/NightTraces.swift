import CircadiaAdapters
import CircadiaAnalysis
import CircadiaLog
import CircadiaNight
import Foundation

/// What nights keep of exchanges besides the adapter in use: answers for reports, kept versions and
/// a night that waits to be resumed. They go once forgotten exchanges can no longer come back.
package struct NightTraces {
    private let adapter: URL
    private let log: URL

    /// The traces beside an adapter, and the log that says what is still remembered.
    package init(adapter: URL, log: URL) {
        self.adapter = adapter
        self.log = log
    }

    /// Removes the answers that models gave to the person's questions.
    ///
    /// - Returns: the number of nights that had any.
    /// - Throws: `SleepError`, or what the file system says.
    package func removeAnswers() throws -> Int {
        try NightDiaries(beside: adapter).removeAnswers()
    }

    /// Removes the kept versions that were trained on exchanges which the log no longer has, or may
    /// have been. An exchange that is only tagged “no-train” is still in the log, and the tag can be
    /// taken back.
    ///
    /// - Returns: the names of the removed versions.
    /// - Throws: `FileError`, or what the file system says.
    package func removeStaleVersions() throws -> [String] {
        let remembered = Set(try exchanges().map(\.hash))
        return try AdapterVersions(beside: adapter).removeStale(keepingThoseOf: remembered)
            .map(\.name)
    }

    /// Removes a night that waits to be resumed if it holds exchanges, as tokens, which the log no
    /// longer has.
    ///
    /// - Returns: whether one was removed.
    /// - Throws: `FileError`.
    package func discardUnfinishedNight() throws -> Bool {
        UnfinishedNight(of: adapter).discard(unlessAllIn: try exchanges())
    }

    private func exchanges() throws -> [CleanExchange] {
        try ChatLog.read(log, repairing: false).exchanges.cleaned
    }
}

extension Forgetting.Plan {
    /// Adapters in use that were trained on the exchanges, or may have been.
    package var adaptersInUse: [URL] { adapters.filter { !Self.isKeptVersion($0) } }

    /// Names of the kept versions that were trained on the exchanges, or may have been.
    package var keptVersions: [String] {
        adapters.filter(Self.isKeptVersion).map(\.lastPathComponent)
    }

    /// Whether an adapter's folder is a kept version.
    package static func isKeptVersion(_ adapter: URL) -> Bool {
        adapter.deletingLastPathComponent().lastPathComponent == AdapterVersions.folderName
    }
}
