import CircadiaAnalysis
import CircadiaFiles
import CircadiaFormats
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The folder of a night that has not ended: `.training/<adapter>` next to the adapter's folder.
///
/// `night.json` is the `NightRecord`, `state.safetensors` the checkpoint of training. Both contain
/// chat text as token ids, so only the owner can read them, and they are removed when the night
/// ends. The caller holds the `SleepLock`.
package struct UnfinishedNight: Sendable {
    /// The part of a record that needs no model.
    package struct Summary: Sendable {
        /// When the night began.
        package let started: Date
    }

    /// The folder.
    package let url: URL

    /// The place of the unfinished night of the adapter at `adapterDirectory`.
    package init(of adapterDirectory: URL) {
        url =
            adapterDirectory.deletingLastPathComponent()
            .appendingPathComponent(".training", isDirectory: true)
            .appendingPathComponent(adapterDirectory.lastPathComponent, isDirectory: true)
    }

    /// Whether there is an unfinished night.
    package var exists: Bool { FileManager.default.fileExists(atPath: recordURL.path) }

    /// A summary of the night; nil if there is none or its record cannot be read.
    package var summary: Summary? {
        (try? record()).map { Summary(started: $0.started) }
    }

    private var recordURL: URL { url.appendingPathComponent("night.json") }

    /// The checkpoint of training.
    package var stateURL: URL { url.appendingPathComponent("state.safetensors") }

    /// Whether there is a checkpoint.
    package var hasState: Bool { FileManager.default.fileExists(atPath: stateURL.path) }

    /// Reads the record of the night.
    ///
    /// - Throws: `SleepError.nothingToResume` or `.nightUnreadable`.
    package func record() throws(SleepError) -> NightRecord {
        guard exists else { throw .nothingToResume(path: url.relativePath) }
        // Files that a killed process was writing are incomplete.
        AdapterDirectory.removeStrays(beside: stateURL)
        AdapterDirectory.removeStrays(beside: recordURL)
        do {
            let decoder = JSONDecoder()
            decoder.nonConformingFloatDecodingStrategy = .convertFromString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            let record = try decoder.decode(NightRecord.self, from: Data(contentsOf: recordURL))
            if record.version == NightRecord.currentVersion { return record }
        } catch {}
        throw .nightUnreadable(path: recordURL.relativePath)
    }

    /// Writes the record of the night durably.
    ///
    /// - Throws: `SleepError.recordNotWritten`.
    package func save(_ record: NightRecord) throws(SleepError) {
        do {
            try FileManager.default.createDirectory(
                at: url, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            // A failed attempt can have such figures even if a smaller share of its step passes.
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            let bytes = try encoder.encode(record)
            try DurableFile.replace(recordURL, with: Array(bytes))
        } catch let error as FileError {
            throw .recordNotWritten(path: recordURL.relativePath, reason: error.description)
        } catch {
            throw .recordNotWritten(
                path: recordURL.relativePath, reason: "check the folder and the disk's space")
        }
    }

    /// The error for a night that a signal ended.
    package func interrupted(step: Int?, total: Int) -> SleepError {
        .interrupted(step: step, total: total, folder: url.relativePath)
    }

    /// Removes the night if it can never resume because some of its exchanges have left the log.
    /// Their tokens must not stay on disk after they are forgotten for good.
    ///
    /// - Returns: whether a night was removed.
    @discardableResult
    package func discard(unlessAllIn log: [CleanExchange]) -> Bool {
        guard exists else { return false }
        if let record = try? record(), (try? record.exchanges(in: log)) != nil { return false }
        discard()
        return true
    }

    /// Removes everything: the night has ended.
    package func discard() {
        // The record is removed first: without it there is no night to resume.
        try? FileManager.default.removeItem(at: recordURL)
        try? FileManager.default.removeItem(at: url)
        let folder = url.deletingLastPathComponent()
        // This fails on purpose if another adapter has a night in the folder.
        rmdir(folder.path)
    }
}
