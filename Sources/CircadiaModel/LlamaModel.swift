import CircadiaFormats
import CircadiaKernels
import Foundation

/// The frozen weights of a Llama, packed for the kernels; `AdaptedModel` runs them.
///
/// Any number of threads may read them at once.
package final class LlamaModel: Sendable {
    /// The shape, from `config.json`.
    package let configuration: ModelConfiguration
    /// `model.embed_tokens`: `[vocabulary, hidden]`.
    package let embedding: WeightMatrix
    /// `model.layers.N`.
    package let layers: [LlamaLayer]
    /// `model.norm.weight`: `[hidden]`.
    package let finalNorm: WeightVector
    /// `lm_head`, or the embedding where the two are tied: `[vocabulary, hidden]`.
    package let head: WeightMatrix
    /// Radians per position: `[headDim/2]`.
    package let ropeFrequencies: WeightVector
    /// How matrices are multiplied unless a caller asks for another way.
    package let precision: Precision
    /// How caches keep keys and values where the precision is not exact.
    package let cacheFormat: CacheFormat
    /// `head`, as an argument list.
    let headOnly: [WeightMatrix]
    /// Whether every matrix is quantised.
    let isQuantized: Bool

    /// `.exact` where the environment says `CIRCADIA_EXACT=1`, else `.int8`.
    package static var defaultPrecision: Precision {
        ProcessInfo.processInfo.environment["CIRCADIA_EXACT"] == "1" ? .exact : .int8
    }

    /// Loads the weights of an MLX directory and packs them for the kernels.
    ///
    /// - Parameters:
    ///   - directory: the model's files.
    ///   - precision: nil for `defaultPrecision`.
    ///   - cacheFormat: how caches keep keys and values where the precision is not exact.
    /// - Throws: `ModelError.format` where a tensor is missing, truncated or of another shape.
    package init(
        directory: ModelDirectory, precision: Precision? = nil, cacheFormat: CacheFormat = .int8
    ) throws {
        let configuration = directory.configuration
        self.configuration = configuration
        self.precision = precision ?? Self.defaultPrecision
        self.cacheFormat = cacheFormat
        embedding = try directory.weightMatrix(
            "model.embed_tokens", rows: configuration.vocabularySize,
            columns: configuration.hiddenSize)
        var layers: [LlamaLayer] = []
        for index in 0..<configuration.layerCount {
            layers.append(try LlamaLayer(directory: directory, index: index))
        }
        self.layers = layers
        finalNorm = try directory.vector("model.norm.weight", count: configuration.hiddenSize)
        if configuration.tiesWordEmbeddings {
            head = embedding
        } else {
            head = try directory.weightMatrix(
                "lm_head", rows: configuration.vocabularySize,
                columns: configuration.hiddenSize)
        }
        headOnly = [head]
        isQuantized =
            head.bits != 32
            && layers.allSatisfy { layer in
                Projection.allCases.allSatisfy { layer.weight($0).bits != 32 }
            }
        ropeFrequencies = RopeFrequencies.make(for: configuration)
    }
}
