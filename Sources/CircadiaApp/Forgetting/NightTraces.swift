import CircadiaAdapters
import CircadiaAnalysis
import CircadiaLog
import CircadiaNight
import Foundation

/// Removes what nights keep of exchanges besides the adapter in use: answers for reports, kept
/// versions and an unfinished night. Used once forgotten exchanges can no longer come back.
package struct NightTraces {
    private let adapter: URL
    private let log: URL

    /// Finds the traces next to an adapter's folder; the log tells which exchanges are still
    /// remembered.
    package init(adapter: URL, log: URL) {
        self.adapter = adapter
        self.log = log
    }

    /// Removes the answers that nights kept for their reports.
    ///
    /// - Returns: the number of nights that had any.
    /// - Throws: `SleepError`, or an error of the file system.
    package func removeAnswers() throws -> Int {
        try NightDiaries(beside: adapter).removeAnswers()
    }

    /// Removes the kept versions that were, or may have been, trained on exchanges that are no
    /// longer in the log. A version whose exchanges are only tagged “no-train” stays, since the tag
    /// can be removed.
    ///
    /// - Returns: the names of the removed versions.
    /// - Throws: `FileError`, or an error of the file system.
    package func removeStaleVersions() throws -> [String] {
        let remembered = Set(try exchanges().map(\.hash))
        return try AdapterVersions(beside: adapter).removeStale(keepingThoseOf: remembered)
            .map(\.name)
    }

    /// Removes an unfinished night if it contains, as tokens, exchanges that are no longer in the
    /// log.
    ///
    /// - Returns: whether a night was removed.
    /// - Throws: `FileError`.
    package func discardUnfinishedNight() throws -> Bool {
        UnfinishedNight(of: adapter).discard(unlessAllIn: try exchanges())
    }

    private func exchanges() throws -> [CleanExchange] {
        try ChatLog.read(log, repairing: false).exchanges.cleaned
    }
}

extension Forgetting.Plan {
    /// Folders of the adapters in use that were, or may have been, trained on the exchanges.
    package var adaptersInUse: [URL] { adapters.filter { !Self.isKeptVersion($0) } }

    /// Names of the kept versions that were, or may have been, trained on the exchanges.
    package var keptVersions: [String] {
        adapters.filter(Self.isKeptVersion).map(\.lastPathComponent)
    }

    /// Whether an adapter's folder is a kept version.
    package static func isKeptVersion(_ adapter: URL) -> Bool {
        adapter.deletingLastPathComponent().lastPathComponent == AdapterVersions.folderName
    }
}
