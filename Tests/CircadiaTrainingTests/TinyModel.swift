import CircadiaTestSupport
import Foundation

import CircadiaFiles
import CircadiaFormats
import CircadiaModel
import CircadiaTraining

/// A Llama of a few thousand random 4-bit weights, and rows for it.
struct TinyModel {
    let folder: TemporaryFolder
    let model: LlamaModel

    /// The shape: grouped queries, a head dimension that is not hidden / heads, 3 blocks.
    static let configuration: JSONObject = [
        "model_type": .string("llama"), "hidden_size": .integer(64),
        "intermediate_size": .integer(96), "num_hidden_layers": .integer(3),
        "num_attention_heads": .integer(4), "num_key_value_heads": .integer(2),
        "head_dim": .integer(32), "vocab_size": .integer(150),
        "max_position_embeddings": .integer(4096), "rms_norm_eps": .number(1e-5),
        "rope_theta": .number(10_000), "tie_word_embeddings": .bool(true),
    ]

    init(seed: UInt64 = 1, changes: JSONObject = [:]) throws {
        folder = try TemporaryFolder()
        var object = Self.configuration
        for (key, value) in changes.members { object[key] = value }
        var options = RandomModel.Options()
        options.seed = seed
        options.groupSize = 32
        options.scaleFormat = .f32
        try RandomModel.write(configuration: .object(object), to: folder.url, options: options)
        model = try LlamaModel(directory: try ModelDirectory(folder.url), precision: .exact)
    }

    /// Options for checks: f32, two adapted blocks, no clipping.
    static var options: TrainingOptions {
        var options = TrainingOptions()
        options.precision = .exact
        options.rank = 4
        options.scale = 2
        options.layers = 2
        options.clipNorm = 0
        options.learningRate = 1e-3
        options.order = .given
        return options
    }

    /// The model as it runs, with an adapter or without.
    func running(_ adapter: LoRAAdapter? = nil) -> AdaptedModel {
        AdaptedModel(model, adapter: adapter)
    }

    /// An adapter whose `b` is not zero, so that all gradients are there from the first step.
    func adapter(_ options: TrainingOptions = options) -> LoRAAdapter {
        let adapter = LoRAAdapter(
            configuration: options.adapterConfiguration, model: model.configuration, seed: 3)
        var random = SeededGenerator(seed: 4)
        for (_, _, pair) in adapter.allPairs {
            for index in 0..<pair.b.count { pair.b[index] = Float(random.uniform() - 0.5) * 0.2 }
        }
        return adapter
    }

    /// Rows of these lengths with random ids; all but the first third of a row is scored.
    static func rows(_ lengths: [Int], seed: UInt64 = 9) -> [TrainingRow] {
        var random = SeededGenerator(seed: seed)
        return lengths.enumerated().map { index, length in
            TrainingRow(
                id: "row \(index)", ids: (0..<length).map { _ in Int32(random.next() % 150) },
                scored: [length / 3..<length - 2, length - 1..<length])
        }
    }
}

/// `|a − b| / |b|` over whole vectors.
func relativeDistance(_ a: [Float], _ b: [Float]) -> Double {
    guard a.count == b.count else { return .infinity }
    var difference = 0.0
    var size = 0.0
    for (x, y) in zip(a, b) {
        difference += (Double(x) - Double(y)) * (Double(x) - Double(y))
        size += Double(y) * Double(y)
    }
    return size == 0 ? (difference == 0 ? 0 : .infinity) : (difference / size).squareRoot()
}

/// The cosine of the angle between two vectors.
func cosine(_ a: [Float], _ b: [Float]) -> Double {
    var product = 0.0
    var first = 0.0
    var second = 0.0
    for (x, y) in zip(a, b) {
        product += Double(x) * Double(y)
        first += Double(x) * Double(x)
        second += Double(y) * Double(y)
    }
    return product / (first * second).squareRoot()
}
