import CircadiaFormats
import CircadiaKernels
import CircadiaTokenizer
import Foundation

/// Turns texts into vectors whose dot product is their likeness: all-MiniLM-L6-v2, a BERT encoder
/// with mean pooling and L2 norm, in f32.
///
/// Texts are packed one after the other into one sequence of tokens, kept apart by each token's range
/// of keys, so no padding is ever computed. Calls from several threads take turns.
///
/// `@unchecked Sendable`: weights are never written after `init`, and a lock guards all the rest.
package final class SentenceEmbedder: @unchecked Sendable {
    /// Numbers per vector: 384 for MiniLM.
    package let dimension: Int
    /// Names the model and the rules that its vectors depend on: vectors of two identifiers must not
    /// be compared.
    package let identifier = "all-MiniLM-L6-v2/mean/256"
    /// Tokens that are read of each text at most, `[CLS]` and `[SEP]` among them.
    package let maxTokens: Int

    /// How its matrices are multiplied.
    let precision: Precision

    /// Tokens that pass through the layers together.
    private static let batchTokens = 1024
    private let tokenizer: WordPieceTokenizer
    let configuration: EmbedderConfiguration
    /// `embeddings.word_embeddings.weight`: `[vocabulary, hidden]`.
    let words: FloatBuffer
    /// `embeddings.position_embeddings.weight`: `[positions, hidden]`.
    let positions: FloatBuffer
    /// `embeddings.token_type_embeddings.weight`: `[types, hidden]`; only type 0 is used.
    let types: FloatBuffer
    /// `embeddings.LayerNorm`.
    let embeddingNorm: NormLayer
    /// `encoder.layer.N`.
    let layers: [EmbedderLayer]
    let workspace = Workspace()
    private let lock = NSLock()
    private var scratch: EmbedderScratch
    private let weights: URL
    /// The layers in 8 bits, once a question has asked for them.
    private var quantizedLayers: [EmbedderLayer]?

    /// Loads an encoder from `config.json`, `model.safetensors` and the tokenizer's files.
    ///
    /// - Parameters:
    ///   - directory: the model's folder.
    ///   - precision: `.exact`, or `.bf16`, which is faster where the processor multiplies bf16;
    ///     its vectors have a cosine above 0.999 with the exact ones.
    /// - Throws: `ModelError.format`, `.tokenizer` or `.embedderConfiguration`.
    package init(directory: URL, precision: Precision = .exact) throws {
        self.precision = precision
        weights = directory.appendingPathComponent("model.safetensors")
        configuration = try EmbedderConfiguration(directory: directory)
        tokenizer = try WordPieceTokenizer(directory: directory)
        let hidden = configuration.hiddenSize
        let file = EmbedderFile(try SafetensorsFile(path: weights))
        words = try file.table(
            "embeddings.word_embeddings.weight", [configuration.vocabularySize, hidden])
        positions = try file.table(
            "embeddings.position_embeddings.weight", [configuration.positionCount, hidden])
        types = try file.table(
            "embeddings.token_type_embeddings.weight", [configuration.typeCount, hidden])
        embeddingNorm = try file.norm("embeddings.LayerNorm", hidden)
        layers = try Self.layers(file, configuration)
        dimension = hidden
        maxTokens = min(256, configuration.positionCount)
        scratch = EmbedderScratch(configuration: configuration, tokens: 0)
    }

    private static func layers(
        _ file: EmbedderFile, _ configuration: EmbedderConfiguration
    ) throws(FormatError) -> [EmbedderLayer] {
        var layers: [EmbedderLayer] = []
        for index in 0..<configuration.layerCount {
            layers.append(try EmbedderLayer(file, index: index, configuration: configuration))
        }
        return layers
    }

    private static func quantizedLayers(
        _ weights: URL, _ configuration: EmbedderConfiguration
    ) throws -> [EmbedderLayer] {
        let file = EmbedderFile(try SafetensorsFile(path: weights), inQuantizedForm: true)
        let layers = try layers(file, configuration)
        // A program that asks one question would end before they are kept.
        file.waitForPackCache()
        return layers
    }

    /// The vector of one text, from weights in 8 bits and activations in one or two digits of 8 bits: for
    /// short texts several times as fast as `embed`, whose weights in f32 take longer to read than a
    /// question to compute. Its cosine with the exact vector is above 0.999 (2,000 messages).
    ///
    /// The first call reads the weights, which the first one ever made and kept beside the model's.
    package func embed(question: String) -> [Float] {
        let tokens = tokenizer.encode(question, maxTokens: maxTokens)
        lock.lock()
        defer { lock.unlock() }
        if quantizedLayers == nil {
            quantizedLayers = try? Self.quantizedLayers(weights, configuration)
        }
        makeRoom(tokens.count)
        encode(
            [tokens], total: tokens.count, scratch: scratch, layers: quantizedLayers ?? layers,
            precision: quantizedLayers == nil ? precision : .int8)
        return pooled(0..<tokens.count, scratch: scratch)
    }

    private func makeRoom(_ tokens: Int) {
        if scratch.tokens < tokens {
            scratch = EmbedderScratch(configuration: configuration, tokens: tokens)
        }
    }

    /// The vectors of texts, in their order: `dimension` numbers each, of length 1.
    ///
    /// Texts longer than `maxTokens` tokens are cut.
    package func embed(_ texts: [String]) -> [[Float]] {
        embed(tokens: texts.map { tokenizer.encode($0, maxTokens: maxTokens) })
    }

    /// The vectors of texts that are tokens already, `[CLS]` and `[SEP]` among them.
    ///
    /// - Parameter tokens: 1 to `maxTokens` ids of the vocabulary each (others trap).
    /// - Returns: the vectors, in the order of `tokens`.
    package func embed(tokens: [[Int32]]) -> [[Float]] {
        lock.lock()
        defer { lock.unlock() }
        var vectors = [[Float]](repeating: [], count: tokens.count)
        // Texts of one length share their blocks of attention best.
        var waiting = tokens.indices.sorted { (tokens[$0].count, $0) < (tokens[$1].count, $1) }[...]
        while !waiting.isEmpty {
            var count = 0
            let batch = waiting.prefix { index in
                count += tokens[index].count
                return count <= Self.batchTokens
            }
            waiting = waiting.dropFirst(batch.count)
            let total = batch.reduce(0) { $0 + tokens[$1].count }
            makeRoom(total)
            encode(
                batch.map { tokens[$0] }, total: total, scratch: scratch, layers: layers,
                precision: precision)
            var row = 0
            for index in batch {
                vectors[index] = pooled(row..<row + tokens[index].count, scratch: scratch)
                row += tokens[index].count
            }
        }
        return vectors
    }

    /// The mean of rows of the encoder's output, scaled to length 1.
    private func pooled(_ rows: Range<Int>, scratch: EmbedderScratch) -> [Float] {
        var sums = [Double](repeating: 0, count: dimension)
        for row in rows {
            let hidden = scratch.hidden.pointer + row * dimension
            for index in 0..<dimension { sums[index] += Double(hidden[index]) }
        }
        let length = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return sums.map { Float($0 / max(length, 1e-12)) }
    }
}
