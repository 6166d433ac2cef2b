import CircadiaConversation
import CircadiaFiles
import Foundation

/// The list of exchanges that trained an adapter, in a file next to its weights that `mlx_lm`
/// ignores.
///
/// It names exchanges by the content hash of their redacted form, including those of the adapters
/// that this one continued from. It also marks which of them were forgotten since. An adapter with
/// such a mark is stale, and the next night does not continue from it.
package struct TrainingManifest: Sendable, Hashable, Codable {
    /// The file's name in an adapter's folder.
    package static let fileName = "training_manifest.json"

    /// The format's version.
    package var version = 1
    /// The model that was adapted.
    package var model: String?
    /// When the adapter was written.
    package var written: Date?
    /// Sorted hashes of the exchanges that trained it or an adapter that it continued from.
    package var trained: [ContentHash]
    /// Whether `trained` names all of them; false if the adapter, or one before it, had no
    /// manifest.
    package var isComplete: Bool
    /// Sorted hashes of exchanges that were forgotten since.
    package var forgotten: [ContentHash]
    /// Which night learnt which exchange; nil if the adapter is older than ledgers.
    package var ledger: TrainingLedger?

    /// Makes a manifest of exchanges by their hashes.
    package init(
        model: String?, trained: some Sequence<ContentHash>, isComplete: Bool = true,
        written: Date? = Date(), ledger: TrainingLedger? = nil
    ) {
        self.ledger = ledger
        self.model = model
        self.written = written.map(Timestamp.wholeMilliseconds)
        self.trained = Set(trained).sorted()
        self.isComplete = isComplete
        forgotten = []
    }

    /// The ledger. If there is none, one that has learnt every trained exchange in a single night.
    package var knownLedger: TrainingLedger {
        if let ledger { return ledger }
        var ledger = TrainingLedger()
        if !trained.isEmpty { ledger.note(night: trained) }
        return ledger
    }

    /// Whether the adapter was trained on exchanges that were forgotten since.
    package var isStale: Bool { !forgotten.isEmpty }

    /// Reads the manifest of an adapter; nil if it is missing or unreadable.
    package static func read(adapter: URL) -> TrainingManifest? {
        guard
            let bytes = try? DurableFile.read(adapter.appendingPathComponent(fileName)),
            let manifest = try? decoder.decode(TrainingManifest.self, from: Data(bytes))
        else { return nil }
        return manifest
    }

    /// The file's bytes.
    package var bytes: [UInt8] {
        do {
            return try [UInt8](Self.encoder.encode(self)) + [UInt8(ascii: "\n")]
        } catch {
            preconditionFailure("a manifest could not be encoded: \(error)")
        }
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        encoder.dateEncodingStrategy = .iso8601
        return encoder
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }
}

/// The adapters of a folder: `adapters/nightly_update` and older ones that are kept there.
package struct TrainedAdapters: Sendable {
    /// The folder that holds them, such as `adapters`.
    package let root: URL

    /// The adapters in `root`.
    package init(root: URL) { self.root = root }

    /// Folders with an adapter's two files, at most two levels down, by path.
    package var all: [URL] {
        func folders(in url: URL) -> [URL] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
            // Hidden folders are being written, or were when a process was killed.
            return names.filter { !$0.hasPrefix(".") }.sorted().map {
                url.appendingPathComponent($0, isDirectory: true)
            }
        }
        let first = folders(in: root)
        return (first + first.flatMap(folders)).filter { folder in
            ["adapters.safetensors", "adapter_config.json"].allSatisfy {
                FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path)
            }
        }
    }

    /// Adapters that were trained on any of these exchanges, or may have been.
    package func trained(on hashes: Set<ContentHash>) -> [URL] {
        all.filter { adapter in
            guard let manifest = TrainingManifest.read(adapter: adapter) else { return true }
            return !manifest.isComplete || !hashes.isDisjoint(with: manifest.trained)
        }
    }

    /// Marks adapters that were trained on any of these exchanges as stale. Repeating it changes
    /// nothing.
    ///
    /// - Returns: the folders of these adapters.
    /// - Throws: `FileError.unwritable`, `.unreadable`.
    @discardableResult
    package func markStale(forgetting hashes: Set<ContentHash>) throws(FileError) -> [URL] {
        let adapters = trained(on: hashes)
        for adapter in adapters {
            var manifest =
                TrainingManifest.read(adapter: adapter)
                ?? TrainingManifest(model: nil, trained: [], isComplete: false, written: nil)
            let known =
                manifest.isComplete ? hashes.intersection(manifest.trained) : hashes
            let forgotten = Set(manifest.forgotten).union(known).sorted()
            guard forgotten != manifest.forgotten else { continue }
            manifest.forgotten = forgotten
            try DurableFile.replace(
                adapter.appendingPathComponent(TrainingManifest.fileName), with: manifest.bytes)
        }
        return adapters
    }

    /// Removes the mark for exchanges that are remembered again.
    ///
    /// - Throws: `FileError.unwritable`, `.unreadable`.
    package func unmark(remembering hashes: Set<ContentHash>) throws(FileError) {
        for adapter in all {
            guard var manifest = TrainingManifest.read(adapter: adapter) else { continue }
            let forgotten = manifest.forgotten.filter { !hashes.contains($0) }
            guard forgotten != manifest.forgotten else { continue }
            manifest.forgotten = forgotten
            try DurableFile.replace(
                adapter.appendingPathComponent(TrainingManifest.fileName), with: manifest.bytes)
        }
    }

    /// The adapter that a night continues from: `adapter`, unless it is stale. Then it is the
    /// newest other adapter of the same model that is not stale and has a complete manifest, or
    /// none.
    ///
    /// - Parameters:
    ///   - adapter: the adapter in use.
    ///   - model: the model's name.
    /// - Returns: the folder, nil for the base model; and whether `adapter` was stale.
    package func origin(for adapter: URL, model: String) -> (adapter: URL?, isReplaced: Bool) {
        guard let manifest = TrainingManifest.read(adapter: adapter), manifest.isStale else {
            return (adapter, false)
        }
        let others = all.compactMap { folder -> (URL, Date)? in
            guard let manifest = TrainingManifest.read(adapter: folder), manifest.isComplete,
                !manifest.isStale, manifest.model == model
            else { return nil }
            return (folder, manifest.written ?? .distantPast)
        }
        return (others.max { $0.1 < $1.1 }?.0, true)
    }
}
