import CircadiaTestSupport
import Foundation

import CircadiaFiles
import CircadiaFormats
import CircadiaKernels
import CircadiaModel

/// A Llama of a few thousand random weights, and what is needed to compare two runs of it.
struct TinyModel {
    let folder: TemporaryFolder
    let directory: ModelDirectory

    /// The shape: grouped queries, a head dimension that is not hidden / heads, 3 blocks.
    static let configuration: JSONObject = [
        "model_type": .string("llama"), "hidden_size": .integer(64),
        "intermediate_size": .integer(128), "num_hidden_layers": .integer(3),
        "num_attention_heads": .integer(4), "num_key_value_heads": .integer(2),
        "head_dim": .integer(32), "vocab_size": .integer(300),
        "max_position_embeddings": .integer(4096), "rms_norm_eps": .number(1e-5),
        "rope_theta": .number(10_000), "tie_word_embeddings": .bool(true),
    ]

    /// Writes and opens the model. `bits` are 4 or 8, or nil for dense f32 weights; `changes` are
    /// members of `config.json` that differ from `configuration`.
    init(seed: UInt64 = 1, bits: Int? = 4, changes: JSONObject = [:]) throws {
        folder = try TemporaryFolder()
        var object = Self.configuration
        for (key, value) in changes.members { object[key] = value }
        var options = RandomModel.Options()
        options.seed = seed
        options.bits = bits
        options.groupSize = 32
        options.scaleFormat = bits == nil ? .f32 : .f16
        try RandomModel.write(configuration: .object(object), to: folder.url, options: options)
        directory = try ModelDirectory(folder.url)
    }

    /// The model without an adapter.
    func load(_ precision: Precision = .exact) throws -> AdaptedModel {
        try AdaptedModel(directory, precision)
    }

    /// Token ids that look random and are the same everywhere.
    static func tokens(_ count: Int, seed: UInt64 = 7, below limit: Int = 300) -> [Int32] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Int32(random.next() % UInt64(limit)) }
    }
}

extension AdaptedModel {
    /// A directory's model without an adapter.
    init(_ directory: ModelDirectory, _ precision: Precision = .exact) throws {
        self.init(try LlamaModel(directory: directory, precision: precision), adapter: nil)
    }
}

/// The values of logits, which are valid until the model's next call only.
func copy(_ logits: Logits) -> [Float] { Array(logits.values) }

/// The largest difference between two runs, as a share of the largest value.
func relativeDifference(_ first: some Collection<Float>, _ second: some Collection<Float>) -> Float
{
    guard first.count == second.count else { return .infinity }
    let size = first.reduce(Float.leastNormalMagnitude) { max($0, abs($1)) }
    var largest: Float = 0
    for (a, b) in zip(first, second) {
        // A NaN must not look equal.
        largest = abs(a - b) <= largest ? largest : (a - b).isNaN ? .infinity : abs(a - b)
    }
    return largest / size
}
