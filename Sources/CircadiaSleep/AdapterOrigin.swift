import CircadiaFormats
import CircadiaMemory
import Foundation

/// The adapter that a night goes on from, which is not the one in use where that one knows something
/// that a person wanted forgotten.
struct AdapterOrigin {
    /// The adapter's folder; nil for the base model.
    let directory: URL?
    /// What to say about it; nil where nothing is special.
    let remark: String?
    private let model: String

    /// Decides for the adapter in `adapterDirectory`, which need not be there.
    init(of adapterDirectory: URL, model: String) {
        self.model = model
        guard AdapterDirectory.isPresent(at: adapterDirectory) else {
            directory = nil
            remark = nil
            return
        }
        let adapters = TrainedAdapters(root: adapterDirectory.deletingLastPathComponent())
        let origin = adapters.origin(for: adapterDirectory, model: model)
        directory = origin.adapter
        let start = origin.adapter?.relativePath ?? "the base model"
        remark =
            origin.isReplaced
            ? "\(adapterDirectory.relativePath) was trained on exchanges that were forgotten since: "
                + "the night retrains without them, from \(start)" : nil
    }

    /// What the new adapter was trained on, this night and before it.
    ///
    /// - Parameters:
    ///   - exchanges: tonight's.
    ///   - isFresh: whether the night did not go on from `directory`.
    /// - Returns: the manifest to write beside the weights.
    func manifest(afterTrainingOn exchanges: [Exchange], isFresh: Bool) -> TrainingManifest {
        let hashes = exchanges.map { TrainingManifest.hash(of: $0) }
        guard let directory, !isFresh else {
            return TrainingManifest(model: model, trained: hashes)
        }
        let before = TrainingManifest.read(adapter: directory)
        return TrainingManifest(
            model: model, trained: (before?.trained ?? []) + hashes,
            isComplete: before?.isComplete ?? false)
    }
}
