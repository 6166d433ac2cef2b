import CircadiaFormats
import CircadiaKernels
import CircadiaTokenizer
import Foundation

/// The sentence embedder all-MiniLM-L6-v2: BERT, mean pooling, L2 norm (Reimers & Gurevych 2019).
///
/// Texts of a batch lie one after the other in one token sequence and see only themselves, so no padding
/// is ever computed.
public final class SentenceEmbedder: @unchecked Sendable {
    /// Components of a vector.
    public let dimension: Int
    /// Names the model and the rules that its vectors depend on.
    public let identifier = "all-MiniLM-L6-v2/mean/256"
    /// Tokens of a text that are read.
    public static let maxTokens = 256
    /// Tokens of a batch at most (one text may have more).
    static let batchTokens = 1024

    private let tokenizer: WordPieceTokenizer
    private let words, positions: WeightMatrix
    private let type: FloatBuffer
    private let norm: LayerNormWeights
    private let layers: [EmbedderLayer]
    private let heads: Int
    private let epsilon: Float
    private let workspace = Workspace()
    // One call at a time uses the workspace.
    private let lock = NSLock()

    /// Reads `model.safetensors`, `config.json` and `tokenizer.json` in `directory`.
    public init(directory: URL) throws(ModelError) {
        do throws(FormatError) {
            let configuration = try JSONValue(
                contentsOf: directory.appendingPathComponent("config.json"))
            let path = directory.appendingPathComponent("config.json").path
            func number(_ name: String) throws(FormatError) -> Int {
                guard let value = configuration.objectValue?[name]?.intValue, value > 0 else {
                    throw .configuration(path: path, problem: .missingKey(name))
                }
                return value
            }
            dimension = try number("hidden_size")
            heads = try number("num_attention_heads")
            let inner = try number("intermediate_size")
            epsilon = 1e-12
            let weights = directory.appendingPathComponent("model.safetensors")
            let file = try SafetensorsFile(path: weights)
            let reader = EmbedderReader(file: file, path: weights.path, hidden: dimension)
            words = try reader.matrix(
                "embeddings.word_embeddings.weight", rows: try number("vocab_size"))
            positions = try reader.matrix(
                "embeddings.position_embeddings.weight",
                rows: try number("max_position_embeddings"))
            type = FloatBuffer(
                try file.floats(of: "embeddings.token_type_embeddings.weight").prefix(dimension))
            norm = try reader.norm("embeddings.LayerNorm")
            var layers: [EmbedderLayer] = []
            for index in 0..<(try number("num_hidden_layers")) {
                layers.append(
                    try EmbedderLayer(reader, prefix: "encoder.layer.\(index)", inner: inner))
            }
            self.layers = layers
        } catch {
            throw .format(error)
        }
        do throws(TokenizerError) {
            tokenizer = try WordPieceTokenizer(directory: directory)
        } catch {
            throw .tokenizer(error)
        }
    }

    /// One vector of length 1 for each text, in order.
    public func embed(_ texts: [String]) -> [[Float]] {
        lock.lock()
        defer { lock.unlock() }
        let tokens = texts.map { tokenizer.encode($0, maxTokens: Self.maxTokens) }
        // Texts of like length together: the last batch of long texts does not hold up short ones.
        let order = tokens.indices.sorted { tokens[$0].count < tokens[$1].count }
        var vectors = [[Float]](repeating: [], count: texts.count)
        var start = 0
        while start < order.count {
            var end = start
            var total = 0
            while end < order.count,
                end == start || total + tokens[order[end]].count <= Self.batchTokens
            {
                total += tokens[order[end]].count
                end += 1
            }
            let batch = order[start..<end]
            for (index, vector) in zip(batch, embed(batch.map { tokens[$0] })) {
                vectors[index] = vector
            }
            start = end
        }
        return vectors
    }

    /// Runs one batch, packed.
    private func embed(_ rows: [[Int32]]) -> [[Float]] {
        let count = rows.reduce(0) { $0 + $1.count }
        let ids = rows.flatMap { $0 }
        var places: [Int32] = []
        var firstKey: [Int32] = []
        var endKey: [Int32] = []
        for row in rows {
            let start = Int32(places.count)
            places += (0..<Int32(row.count))
            firstKey += [Int32](repeating: start, count: row.count)
            endKey += [Int32](repeating: start + Int32(row.count), count: row.count)
        }
        let x = FloatBuffer(count: count * dimension)
        let other = FloatBuffer(count: count * dimension)
        words.embed(ids, into: x.pointer)
        positions.embed(places, into: other.pointer)
        Kernels.add(x.pointer, other.pointer, count: x.count)
        Kernels.addBias(x.pointer, bias: type.pointer, tokens: count, width: dimension)
        norm.apply(to: x, tokens: count, epsilon: epsilon)
        let shape = AttentionShape(
            tokens: count, past: 0, heads: heads, kvHeads: heads, headDim: dimension / heads,
            capacity: count)
        for layer in layers {
            layer.forward(
                x, tokens: count, shape: shape, firstKey: firstKey, endKey: endKey,
                epsilon: epsilon, workspace: workspace)
        }
        return pool(x, rows: rows)
    }

    /// The mean of each text's tokens, scaled to length 1.
    private func pool(_ x: FloatBuffer, rows: [[Int32]]) -> [[Float]] {
        var token = 0
        return rows.map { row in
            var sums = [Double](repeating: 0, count: dimension)
            for _ in row {
                for i in 0..<dimension { sums[i] += Double(x.pointer[token * dimension + i]) }
                token += 1
            }
            let length = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return sums.map { Float($0 / max(length, 1e-12)) }
        }
    }
}
