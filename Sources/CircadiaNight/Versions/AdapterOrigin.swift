import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaFormats
import Foundation

/// The adapter that a night goes on from, which is not the one in use where that one knows something
/// that a person wanted forgotten, or has learnt what a person called bad or tagged `no-train` since.
struct AdapterOrigin {
    /// The adapter's folder; nil for the base model.
    let directory: URL?
    /// What to say about it; nil where nothing is special.
    let remark: String?
    /// The folder as it is called beside the adapter in use, such as `versions/2`; nil for the base
    /// model.
    let name: String?
    /// The version that `directory` is; nil for the base model.
    var version: Int? { directory.flatMap { NightManifest.read(adapter: $0)?.version } }
    private let model: String

    /// Decides for the adapter in `adapterDirectory`, which need not be there.
    ///
    /// - Parameters:
    ///   - adapterDirectory: the adapter in use.
    ///   - model: the model's name.
    ///   - log: the night's exchanges.
    init(of adapterDirectory: URL, model: String, log: [CleanExchange]) {
        self.model = model
        guard AdapterDirectory.isPresent(at: adapterDirectory) else {
            directory = nil
            remark = nil
            name = nil
            return
        }
        let root = adapterDirectory.deletingLastPathComponent()
        let adapters = TrainedAdapters(root: root)
        let origin = adapters.origin(for: adapterDirectory, model: model)
        let unwanted = origin.adapter.map { Self.unwanted(in: $0, log: log) } ?? []
        let other =
            unwanted.isEmpty
            ? nil : Self.newest(of: adapters, model: model, without: unwanted)
        let chosen = other ?? origin.adapter
        directory = chosen
        name = chosen.map {
            $0.standardizedFileURL.pathComponents
                .dropFirst(root.standardizedFileURL.pathComponents.count).joined(separator: "/")
        }
        let start = chosen?.relativePath ?? "the base model"
        if let other {
            remark =
                "\(unwanted.count) exchanges were called bad or tagged “\(Exchange.noTrainTag)” after "
                + "they were learnt: the night retrains without them, from \(other.relativePath)"
        } else if origin.isReplaced {
            remark =
                "\(adapterDirectory.relativePath) was trained on exchanges that were forgotten since: "
                + "the night retrains without them, from \(start)"
        } else {
            remark = nil
        }
    }

    /// Hashes of exchanges that an adapter has learnt and that a person called bad or tagged since.
    private static func unwanted(in adapter: URL, log: [CleanExchange]) -> Set<ContentHash> {
        let barred = log.filter {
            $0.exchange.tags.contains(Exchange.noTrainTag) || ReplyMark.of($0.exchange) == .bad
        }
        guard !barred.isEmpty, let ledger = TrainingManifest.read(adapter: adapter)?.ledger else {
            return []
        }
        return Set(barred.map(\.hash).filter(ledger.knows))
    }

    /// The adapter written last that has learnt none of these exchanges; nil where there is none, and a night
    /// goes on with what it has: an opinion is no reason to give up a year.
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

    /// Where a night that is resumed went on from.
    ///
    /// - Throws: `SleepError.nightChanged` where that adapter has gone, or knows something that was
    ///   forgotten since.
    init(
        beside adapterDirectory: URL, wasNamed name: String?, model: String
    ) throws(SleepError) {
        self.model = model
        self.name = name
        remark = nil
        let root = adapterDirectory.deletingLastPathComponent()
        directory = name.map { root.appendingPathComponent($0, isDirectory: true) }
        guard let directory else { return }
        if !AdapterDirectory.isPresent(at: directory) {
            throw .nightChanged(["\(directory.relativePath), which it went on from, has gone"])
        }
        if TrainingManifest.read(adapter: directory)?.isStale == true {
            throw .nightChanged([
                "\(directory.relativePath), which it went on from, was trained on exchanges that "
                    + "were forgotten since"
            ])
        }
    }

    /// What the adapter that the night goes on from has learnt.
    ///
    /// - Parameter isFresh: whether the night does not go on from `directory`.
    /// - Returns: an empty ledger where there is none.
    func ledger(isFresh: Bool) -> TrainingLedger {
        guard let directory, !isFresh else { return TrainingLedger() }
        return TrainingManifest.read(adapter: directory)?.knownLedger ?? TrainingLedger()
    }

    /// What the new adapter was trained on, this night and before it.
    ///
    /// - Parameters:
    ///   - hashes: tonight's exchanges, as a manifest names them, and those that were shown beside them.
    ///   - learnt: those that the steps behind the adapter were made of.
    ///   - isFresh: whether the night did not go on from `directory`.
    /// - Returns: the manifest to write beside the weights.
    func manifest(
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
