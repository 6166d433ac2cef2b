import CircadiaFiles
import Foundation

/// The shape of a BERT encoder, from `config.json`.
struct EmbedderConfiguration {
    let hiddenSize, intermediateSize, layerCount, headCount, vocabularySize: Int
    let positionCount, typeCount: Int
    let layerNormEpsilon: Float

    var headDim: Int { hiddenSize / headCount }

    /// Reads `config.json` and refuses what the forward pass does not do.
    init(directory: URL) throws {
        let path = directory.appendingPathComponent("config.json")
        let json: JSONValue
        guard FileManager.default.fileExists(atPath: path.path) else {
            throw FileError.missingFile(path: path.path, purpose: "the embedder's configuration")
        }
        json = try JSONValue(contentsOf: path)
        func problem(_ key: String, _ expected: String) -> ModelError {
            .embedderConfiguration(
                path: path.path, key: key, expected: expected,
                found: json[key].map { $0.text() } ?? "missing")
        }
        func integer(_ key: String) throws(ModelError) -> Int {
            guard let value = json[key]?.intValue, (1...1 << 24).contains(value) else {
                throw problem(key, "a positive integer")
            }
            return value
        }
        for (key, expected) in [
            ("model_type", "bert"), ("hidden_act", "gelu"),
            ("position_embedding_type", "absolute"),
        ] where json[key]?.stringValue ?? expected != expected {
            throw problem(key, expected)
        }
        hiddenSize = try integer("hidden_size")
        intermediateSize = try integer("intermediate_size")
        layerCount = try integer("num_hidden_layers")
        headCount = try integer("num_attention_heads")
        vocabularySize = try integer("vocab_size")
        positionCount = try integer("max_position_embeddings")
        typeCount = try integer("type_vocab_size")
        guard hiddenSize.isMultiple(of: headCount) else {
            throw problem("num_attention_heads", "a divisor of hidden_size (\(hiddenSize))")
        }
        guard let epsilon = json["layer_norm_eps"]?.doubleValue, epsilon > 0, epsilon < 1 else {
            throw problem("layer_norm_eps", "a number between 0 and 1")
        }
        layerNormEpsilon = Float(epsilon)
    }
}
