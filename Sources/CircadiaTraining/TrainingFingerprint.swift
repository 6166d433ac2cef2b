import CircadiaFiles
import CircadiaKernels
import Foundation

extension LoRATrainer {
    /// A digest of everything that decides a checkpoint's values: rows and held-out rows, options,
    /// the adapter's shape, and the instruction set, because each one adds sums in its own order.
    func fingerprint(rows: [PreparedRow], heldOut: [PreparedRow]) -> String {
        var text = "\(options.canonicalText)\n\(KernelRuntime.isa)\n"
        text += "\(adapter.configuration.json.text())\n"
        text += "\(model.configuration.layerCount) \(adapter.parameterCount)\n"
        var words = Array(text.utf8).map { Int32($0) }
        for set in [rows, heldOut] {
            words.append(-1)
            for row in set {
                words += [-2, Int32(row.length)]
                words += [row.weight, row.pull].map { Int32(bitPattern: $0.bitPattern) }
                words += row.ids
                words.append(-3)
                words += row.targets.map { Int32($0) }
                words.append(-4)
                words += row.anchored.map { Int32($0) }
            }
        }
        return words.withUnsafeBytes { ContentDigest.hexadecimal(of: $0) }
    }
}

extension TrainingOptions {
    /// The options as text for digests.
    ///
    /// Digests hash this text, so its names and order must never change, even if a property is
    /// renamed. Add a new option at the end.
    var canonicalText: String {
        let fields: [(String, String)] = [
            ("iterations", iterations.description), ("batch_size", batchSize.description),
            ("max_sequence_length", maxSequenceLength.description),
            ("max_tokens_per_micro_batch", maxTokensPerMicroBatch.description),
            ("max_rows_per_micro_batch", maxRowsPerMicroBatch.description),
            ("pads_rows", padsRows.description), ("kind", kind.rawValue),
            ("rank", rank.description), ("scale", scale.description),
            ("layers", layers.description), ("dropout", dropout.description),
            ("keys", keys.map { $0.joined(separator: ",") } ?? "all"),
            ("learning_rate", learningRate.description), ("warmup_steps", warmupSteps.description),
            ("schedule", schedule.rawValue), ("beta1", beta1.description),
            ("beta2", beta2.description), ("epsilon", epsilon.description),
            ("weight_decay", weightDecay.description),
            ("uses_bias_correction", usesBiasCorrection.description),
            ("clip_norm", clipNorm.description),
            ("divergence_weight", divergenceWeight.description),
            ("evaluation_interval", evaluationInterval.description),
            ("keeps_best", keepsBest.description), ("patience", patience.description),
            ("seed", seed.description), ("order", order.rawValue),
            ("precision", precision.rawValue),
            ("activation_byte_limit", activationByteLimit.description),
        ]
        return fields.map { "\($0.0)=\($0.1)" }.joined(separator: "\n")
    }
}
