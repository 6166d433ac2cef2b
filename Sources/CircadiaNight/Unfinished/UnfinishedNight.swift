import CircadiaAnalysis
import CircadiaFiles
import CircadiaFormats
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The folder of a night that has not ended: `.training/<adapter>` beside the adapter's folder.
///
/// `night.json` says what the night is (`NightRecord`), `state.safetensors` how far training is.
/// Both hold what a person said, as token ids, so they are for the owner only and go as soon as the
/// night ends. The caller holds the `SleepLock`.
package struct UnfinishedNight: Sendable {
    /// What is known of it without loading a model.
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

    /// Whether there is one.
    package var exists: Bool { FileManager.default.fileExists(atPath: recordURL.path) }

    /// When it began; nil where there is none or it cannot be read.
    package var summary: Summary? {
        (try? record()).map { Summary(started: $0.started) }
    }

    private var recordURL: URL { url.appendingPathComponent("night.json") }

    /// Where training is kept.
    var stateURL: URL { url.appendingPathComponent("state.safetensors") }

    /// Whether training has begun.
    var hasState: Bool { FileManager.default.fileExists(atPath: stateURL.path) }

    /// Reads what the night is.
    ///
    /// - Throws: `SleepError.nothingToResume`, or `.nightUnreadable`.
    func record() throws(SleepError) -> NightRecord {
        guard exists else { throw .nothingToResume(path: url.relativePath) }
        // What a killed process was writing is of no use to anybody.
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

    /// Keeps what the night is, durably.
    func save(_ record: NightRecord) throws(SleepError) {
        do {
            try FileManager.default.createDirectory(
                at: url, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            // A candidate that went astray has such numbers, though a share of its step may pass.
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

    /// The error that says that a signal ended the night.
    func interrupted(step: Int?, total: Int) -> SleepError {
        .interrupted(step: step, total: total, folder: url.relativePath)
    }

    /// Removes the night where it can never go on because exchanges of it have left the log: their
    /// tokens must not stay when a person has them forgotten for good.
    ///
    /// - Returns: whether there was such a night.
    @discardableResult
    package func discard(unlessAllIn log: [CleanExchange]) -> Bool {
        guard exists else { return false }
        if let record = try? record(), (try? record.exchanges(in: log)) != nil { return false }
        discard()
        return true
    }

    /// Removes everything: the night has ended.
    func discard() {
        // The record goes first: without it nothing is left to go on with.
        try? FileManager.default.removeItem(at: recordURL)
        try? FileManager.default.removeItem(at: url)
        let folder = url.deletingLastPathComponent()
        // Only where no other adapter has a night in it.
        rmdir(folder.path)
    }
}
