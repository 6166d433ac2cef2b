import CircadiaFiles
import CircadiaFormats
import CircadiaKernels
import CircadiaModel
import Foundation

/// Where and how often a training run writes checkpoints, from which it can resume.
package struct CheckpointOptions: Sendable, Equatable {
    /// The checkpoint file; its folder must exist.
    package var url: URL
    /// Steps between checkpoints; 0 writes one at the start and one on cancellation.
    package var interval: Int

    /// Checkpoints at `url`, every `interval` steps.
    package init(url: URL, interval: Int) {
        self.url = url
        self.interval = interval
    }
}

/// A training run in a file: the whole state that later steps depend on. A resumed run ends with
/// the same bits as an uninterrupted one.
///
/// The file is safetensors. It holds f32 `[parameters]` in the optimiser's order: the adapter and
/// Adam's moments (`values`, `m`, `v`), the last good ones of each (`good.*`) and the best adapter
/// so far (`best.values`). The rest is JSON under `__metadata__`. The file is written under another
/// name, synced and renamed, so a kill at any moment leaves this checkpoint or the one before.
struct TrainingCheckpoint {
    /// The format's version. Change it with the format or the meaning of a part.
    static let format = "circadia-training-1"

    private struct Metadata: Codable {
        var fingerprint: String
        var run: TrainingRunState
        var planner: BatchPlanner.State
        var optimizerStep: Int
        var goodStep: Int
        var stepsTried: Int
        var learningRateFactor: Float
    }

    let run: TrainingRunState
    let planner: BatchPlanner.State
    /// The adapter with the lowest held-out loss, flat; nil if none was kept.
    let bestValues: [Float]?

    // MARK: Writing

    /// Writes the state of a trainer and its run.
    ///
    /// - Throws: `FileError.unwritable`. The previous checkpoint then stays intact.
    static func write(
        _ trainer: LoRATrainer, run: TrainingRunState, planner: BatchPlanner.State,
        best: LoRAAdapter?, fingerprint: String, to url: URL
    ) throws {
        let state = trainer.state
        let metadata = Metadata(
            fingerprint: fingerprint, run: run, planner: planner, optimizerStep: state.step,
            goodStep: state.goodStep, stepsTried: trainer.stepsTried,
            learningRateFactor: trainer.learningRateFactor)
        var parts: [(name: String, buffers: [FloatBuffer])] = [
            ("values", trainer.adapter.factors), ("m", [state.m]), ("v", [state.v]),
            ("good.values", [state.goodValues]), ("good.m", [state.goodM]),
            ("good.v", [state.goodV]),
        ]
        if let best { parts.append(("best.values", best.factors)) }
        let descriptions = parts.map { part in
            TensorDescription(
                name: part.name, type: .f32, shape: [part.buffers.reduce(0) { $0 + $1.count }])
        }
        let text: String
        do {
            text = String(decoding: try Self.encoder.encode(metadata), as: UTF8.self)
        } catch {
            throw FileError.notEncodable(path: url.path)
        }
        try SafetensorsWriter.write(
            descriptions, metadata: ["format": Self.format, "training": text], to: url, mode: 0o600
        ) { (index, sink) throws in
            for buffer in parts[index].buffers {
                try sink(UnsafeRawBufferPointer(start: buffer.pointer, count: buffer.byteCount))
            }
        }
    }

    // MARK: Reading

    /// Reads a checkpoint and restores `trainer` from it. If this throws, `trainer` is unchanged.
    ///
    /// - Throws: `TrainingError.checkpoint`.
    init(
        restoring trainer: LoRATrainer, fingerprint: String, from url: URL
    ) throws(TrainingError) {
        let file: SafetensorsFile
        do {
            file = try SafetensorsFile(path: url)
        } catch {
            throw .checkpoint(path: url.path, problem: .unreadable("\(error)"))
        }
        guard file.metadata["format"] == Self.format, let text = file.metadata["training"],
            let metadata = try? Self.decoder.decode(Metadata.self, from: Data(text.utf8))
        else { throw .checkpoint(path: url.path, problem: .unknownFormat) }
        let state = trainer.state
        let names = ["values", "m", "v", "good.values", "good.m", "good.v"]
        guard metadata.fingerprint == fingerprint,
            names.allSatisfy({
                file.tensors[$0]?.shape == [state.m.count] && file.tensors[$0]?.type == .f32
            }),
            file.tensors["best.values"].map({ $0.shape == [state.m.count] && $0.type == .f32 })
                ?? true
        else { throw .checkpoint(path: url.path, problem: .otherTraining) }
        let values: [[Float]]
        do {
            values = try names.map { name in try file.floats(of: name) }
            bestValues =
                file.tensors["best.values"] == nil ? nil : try file.floats(of: "best.values")
        } catch {
            throw .checkpoint(path: url.path, problem: .unreadable("\(error)"))
        }
        run = metadata.run
        planner = metadata.planner
        trainer.adapter.assign(flat: values[0])
        let flat = [state.m, state.v, state.goodValues, state.goodM, state.goodV]
        for (buffer, numbers) in zip(flat, values.dropFirst()) {
            for index in 0..<buffer.count { buffer[index] = numbers[index] }
        }
        state.step = metadata.optimizerStep
        state.goodStep = metadata.goodStep
        trainer.stepsTried = metadata.stepsTried
        trainer.learningRateFactor = metadata.learningRateFactor
    }

    /// Encodes losses that are not finite too: they are part of the history.
    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return encoder
    }()

    private static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return decoder
    }()
}

extension LoRAAdapter {
    /// All factors, in the order of the optimiser's flat buffers.
    var factors: [FloatBuffer] {
        allPairs.flatMap { _, _, pair in
            [pair.a, pair.b] + (pair.magnitude.map { [$0.values] } ?? [])
        }
    }

    /// Copies the values of an adapter of the same shape.
    func assign(_ other: LoRAAdapter) {
        for (target, source) in zip(factors, other.factors) {
            target.pointer.update(from: source.pointer, count: target.count)
        }
    }

    /// Copies values from a flat array, one factor after the other.
    func assign(flat values: [Float]) {
        var offset = 0
        for factor in factors {
            for index in 0..<factor.count { factor[index] = values[offset + index] }
            offset += factor.count
        }
    }
}
