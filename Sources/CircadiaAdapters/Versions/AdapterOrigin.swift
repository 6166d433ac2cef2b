import CircadiaConversation
import CircadiaFormats
import Foundation

/// The adapter that a night continues from.
///
/// It is the adapter in use, unless that adapter has learnt exchanges that were forgotten since, or
/// that a person called bad or tagged `no-train` since.
package struct AdapterOrigin: Sendable {
    /// Why a night continues from another adapter than the one in use.
    package enum Replacement: Sendable, Equatable {
        /// This many exchanges were called bad or tagged after they were learnt; the night
        /// continues from `start`.
        case unwanted(exchanges: Int, start: String)
        /// `adapter` was trained on exchanges that were forgotten since; the night continues from
        /// `start`, or from the base model if that is nil.
        case forgotten(adapter: String, start: String?)
    }

    /// Why a resumed night cannot continue from the adapter it began with.
    package enum Problem: Error, Sendable, Equatable {
        /// The adapter at this path is no longer there.
        case gone(path: String)
        /// The adapter at this path was trained on exchanges that were forgotten since.
        case forgotten(path: String)
    }

    /// The adapter's folder; nil for the base model.
    package let directory: URL?
    /// Why this is not the adapter in use; nil if it is.
    package let replacement: Replacement?
    /// The folder's path relative to the folder of adapters, such as `versions/0002`; nil for the
    /// base model.
    package let name: String?
    /// The number of the version in `directory`; nil for the base model.
    package var version: Int? { directory.flatMap { NightManifest.read(adapter: $0)?.version } }
    private let model: String

    /// Chooses the adapter that the next night continues from. `adapterDirectory` need not exist.
    ///
    /// - Parameters:
    ///   - adapterDirectory: the adapter in use.
    ///   - model: the model's name.
    ///   - unwanted: hashes of exchanges that a person called bad or tagged `no-train`. The night
    ///     continues from an adapter that has learnt none of them, if there is one.
    package init(of adapterDirectory: URL, model: String, unwanted: Set<ContentHash>) {
        self.model = model
        guard AdapterDirectory.isPresent(at: adapterDirectory) else {
            directory = nil
            replacement = nil
            name = nil
            return
        }
        let root = adapterDirectory.deletingLastPathComponent()
        let adapters = TrainedAdapters(root: root)
        let origin = adapters.origin(for: adapterDirectory, model: model)
        let learnt = origin.adapter.map { Self.learnt(unwanted, by: $0) } ?? []
        let other =
            learnt.isEmpty ? nil : Self.newest(of: adapters, model: model, without: learnt)
        let chosen = other ?? origin.adapter
        directory = chosen
        name = chosen.map {
            $0.standardizedFileURL.pathComponents
                .dropFirst(root.standardizedFileURL.pathComponents.count).joined(separator: "/")
        }
        if let other {
            replacement = .unwanted(exchanges: learnt.count, start: other.relativePath)
        } else if origin.isReplaced {
            replacement = .forgotten(
                adapter: adapterDirectory.relativePath, start: chosen?.relativePath)
        } else {
            replacement = nil
        }
    }

    /// Those of the exchanges that an adapter has learnt.
    private static func learnt(
        _ hashes: Set<ContentHash>, by adapter: URL
    ) -> Set<ContentHash> {
        guard !hashes.isEmpty, let ledger = TrainingManifest.read(adapter: adapter)?.ledger else {
            return []
        }
        return hashes.filter(ledger.knows)
    }

    /// The newest adapter that has learnt none of these exchanges.
    ///
    /// Nil if there is none. Then the night keeps the adapter that it has, because a few bad
    /// replies do not justify losing everything else.
    private static func newest(
        of adapters: TrainedAdapters, model: String, without hashes: Set<ContentHash>
    ) -> URL? {
        let found = adapters.all.compactMap { folder -> (URL, Date)? in
            guard let manifest = TrainingManifest.read(adapter: folder), manifest.isComplete,
                !manifest.isStale, manifest.model == model, let ledger = manifest.ledger,
                !hashes.contains(where: ledger.knows)
            else { return nil }
            return (folder, manifest.written ?? .distantPast)
        }
        return found.max { $0.1 < $1.1 }?.0
    }

    /// The adapter that a resumed night began with.
    ///
    /// - Parameters:
    ///   - adapterDirectory: the adapter in use.
    ///   - name: the `name` of the origin when the night began.
    ///   - model: the model's name.
    /// - Throws: `Problem` if the adapter is gone or was trained on forgotten exchanges.
    package init(
        beside adapterDirectory: URL, wasNamed name: String?, model: String
    ) throws(Problem) {
        self.model = model
        self.name = name
        replacement = nil
        let root = adapterDirectory.deletingLastPathComponent()
        directory = name.map { root.appendingPathComponent($0, isDirectory: true) }
        guard let directory else { return }
        if !AdapterDirectory.isPresent(at: directory) {
            throw .gone(path: directory.relativePath)
        }
        if TrainingManifest.read(adapter: directory)?.isStale == true {
            throw .forgotten(path: directory.relativePath)
        }
    }

    /// The ledger of the adapter that the night continues from.
    ///
    /// - Parameter isFresh: whether the night starts with a fresh adapter.
    /// - Returns: the ledger; an empty one for a fresh adapter.
    package func ledger(isFresh: Bool) -> TrainingLedger {
        guard let directory, !isFresh else { return TrainingLedger() }
        return TrainingManifest.read(adapter: directory)?.knownLedger ?? TrainingLedger()
    }

    /// The manifest of the new adapter: the exchanges of this night and of the nights before it.
    ///
    /// - Parameters:
    ///   - hashes: the hashes of tonight's exchanges and of those shown as their context.
    ///   - learnt: the hashes of the exchanges in the steps that the adapter comes from.
    ///   - isFresh: whether the night started with a fresh adapter.
    /// - Returns: the manifest to write next to the weights.
    package func manifest(
        afterTrainingOn hashes: [ContentHash], learning learnt: [ContentHash], isFresh: Bool
    ) -> TrainingManifest {
        var ledger = ledger(isFresh: isFresh)
        ledger.note(night: learnt)
        guard let directory, !isFresh else {
            return TrainingManifest(model: model, trained: hashes, ledger: ledger)
        }
        let before = TrainingManifest.read(adapter: directory)
        return TrainingManifest(
            model: model, trained: (before?.trained ?? []) + hashes,
            isComplete: before?.isComplete ?? false, ledger: ledger)
    }
}
