import CircadiaFiles
import CircadiaFormats
import CircadiaKernels
import Foundation

/// The two factors that adapt one projection of one block: `y += scale·(x·a)·b`; with DoRA, what
/// comes out is multiplied by `magnitude`'s gains.
package final class LoRAPair {
    /// `[inputs, rank]`, row-major.
    package let a: FloatBuffer
    /// `[rank, outputs]`, row-major.
    package let b: FloatBuffer
    /// Columns of the projection.
    package let inputs: Int
    /// Rows of the projection.
    package let outputs: Int
    /// DoRA's magnitudes; nil for LoRA.
    package let magnitude: DoRAMagnitude?

    /// A pair with both factors zero.
    package init(inputs: Int, outputs: Int, rank: Int, magnitude: DoRAMagnitude? = nil) {
        self.inputs = inputs
        self.outputs = outputs
        self.magnitude = magnitude
        a = FloatBuffer(count: inputs * rank)
        b = FloatBuffer(count: rank * outputs)
    }
}

/// Low-rank additions to the projections of a model's blocks, in MLX's format.
///
/// The trainer changes the numbers of its own copy in place; what was computed from the old numbers
/// (`AdaptedModel`, `ChatSession`, `KVCache`) is stale then. One thread at a time may use an adapter.
package final class LoRAAdapter {
    /// Rank, scale, blocks and keys, as in `adapter_config.json`.
    package let configuration: AdapterConfiguration
    /// Columns of every `a`.
    package let rank: Int
    /// Multiplies the low-rank product; not alpha / rank.
    package let scale: Float
    /// Blocks of the model.
    package let layerCount: Int
    /// The adapted blocks.
    package let adaptedLayers: Range<Int>
    private var pairs: [LoRAPair?]

    /// A fresh adapter: `a` uniform in ±1/√inputs, `b` zero, so that it changes nothing yet.
    ///
    /// Numbers are drawn block by block in the order of `Projection.allCases`.
    package init(
        configuration: AdapterConfiguration, model: ModelConfiguration, seed: UInt64
    ) {
        self.configuration = configuration
        rank = configuration.loraParameters.rank
        scale = Float(configuration.loraParameters.scale)
        layerCount = model.layerCount
        adaptedLayers = configuration.adaptedLayers(of: model.layerCount)
        pairs = Array(repeating: nil, count: layerCount * Projection.allCases.count)
        var random = SeededGenerator(seed: seed)
        for layer in adaptedLayers {
            for projection in Projection.allCases where isAdapted(projection) {
                let pair = LoRAPair(
                    inputs: projection.inputs(of: model), outputs: projection.outputs(of: model),
                    rank: rank,
                    magnitude: configuration.kind == .dora
                        ? DoRAMagnitude(outputs: projection.outputs(of: model), values: nil) : nil)
                let bound = 1 / Double(pair.inputs).squareRoot()
                for index in 0..<pair.a.count {
                    pair.a[index] = Float((2 * random.uniform() - 1) * bound)
                }
                pairs[slot(layer, projection)] = pair
            }
        }
    }

    /// An adapter with given numbers; other tensors than the model's are left out.
    package init(
        configuration: AdapterConfiguration, tensors: [String: AdapterTensor],
        model: ModelConfiguration
    ) {
        self.configuration = configuration
        rank = configuration.loraParameters.rank
        scale = Float(configuration.loraParameters.scale)
        layerCount = model.layerCount
        adaptedLayers = configuration.adaptedLayers(of: model.layerCount)
        pairs = Array(repeating: nil, count: layerCount * Projection.allCases.count)
        for layer in adaptedLayers {
            for projection in Projection.allCases {
                guard let a = tensors[Self.name(layer, projection, .a)],
                    let b = tensors[Self.name(layer, projection, .b)]
                else { continue }
                let magnitude = tensors[Self.name(layer, projection, .magnitude)].map {
                    DoRAMagnitude(outputs: $0.values.count, values: $0.values)
                }
                let pair = LoRAPair(
                    inputs: projection.inputs(of: model), outputs: projection.outputs(of: model),
                    rank: rank, magnitude: magnitude)
                for (index, value) in a.values.enumerated() { pair.a[index] = value }
                for (index, value) in b.values.enumerated() { pair.b[index] = value }
                pairs[slot(layer, projection)] = pair
            }
        }
    }

    /// Reads an adapter directory and checks every tensor against the model.
    ///
    /// - Throws: `ModelError.format` naming the tensor, what was expected and what was found.
    package static func load(
        from url: URL, for model: ModelConfiguration
    ) throws -> LoRAAdapter {
        let (configuration, tensors) = try AdapterDirectory.load(url, for: model)
        return LoRAAdapter(configuration: configuration, tensors: tensors, model: model)
    }

    /// Writes the adapter directory in one atomic, durable step; mlx_lm loads it as it is.
    ///
    /// - Parameters:
    ///   - url: the directory; directories above it are created.
    ///   - attachments: further files that change in the same step, by name.
    ///   - origin: what trained it, for the configuration's `origin`; nil leaves that as it is.
    /// - Throws: `ModelError.format`; what was there before is intact then.
    package func save(
        to url: URL, attachments: [String: [UInt8]] = [:], origin: JSONObject? = nil
    ) throws {
        var tensors: [String: AdapterTensor] = [:]
        for (layer, projection, pair) in allPairs {
            tensors[Self.name(layer, projection, .a)] = AdapterTensor(
                shape: [pair.inputs, rank], values: pair.a.array)
            tensors[Self.name(layer, projection, .b)] = AdapterTensor(
                shape: [rank, pair.outputs], values: pair.b.array)
            if let magnitude = pair.magnitude {
                tensors[Self.name(layer, projection, .magnitude)] = AdapterTensor(
                    shape: [pair.outputs], values: magnitude.values.array)
            }
        }
        var configuration = configuration
        if let origin { configuration.origin = origin }
        try AdapterDirectory.save(configuration, tensors, attachments: attachments, to: url)
    }

    /// The factors of a projection, or nil where it is not adapted.
    package subscript(layer: Int, projection: Projection) -> LoRAPair? {
        pairs[slot(layer, projection)]
    }

    /// Every adapted projection, block by block in the order of `Projection.allCases`.
    package var allPairs: [(layer: Int, projection: Projection, pair: LoRAPair)] {
        adaptedLayers.flatMap { layer in
            Projection.allCases.compactMap { projection in
                self[layer, projection].map { (layer, projection, $0) }
            }
        }
    }

    /// The numbers in all factors.
    package var parameterCount: Int {
        allPairs.reduce(0) {
            $0 + $1.pair.a.count + $1.pair.b.count + ($1.pair.magnitude?.values.count ?? 0)
        }
    }

    /// A copy with its own memory.
    package func copy() -> LoRAAdapter {
        LoRAAdapter(copying: self)
    }

    /// The adapter on the straight way from `start` to this one, all numbers of both mixed.
    ///
    /// - Parameters:
    ///   - start: of the same configuration; DoRA's magnitudes must have their numbers, which a
    ///     fresh one gets when a model wears it.
    ///   - share: of the way; 0 gives a copy of `start`, 1 one of this adapter.
    /// - Returns: an adapter with its own memory.
    package func interpolated(from start: LoRAAdapter, share: Float) -> LoRAAdapter {
        func mix(_ from: FloatBuffer, _ to: FloatBuffer) {
            for index in 0..<from.count { from[index] += share * (to[index] - from[index]) }
        }
        let mixed = start.copy()
        for (layer, projection, pair) in allPairs {
            guard let own = mixed[layer, projection] else { continue }
            mix(own.a, pair.a)
            mix(own.b, pair.b)
            if let from = own.magnitude, let to = pair.magnitude { mix(from.values, to.values) }
        }
        return mixed
    }

    private init(copying other: LoRAAdapter) {
        configuration = other.configuration
        rank = other.rank
        scale = other.scale
        layerCount = other.layerCount
        adaptedLayers = other.adaptedLayers
        let rank = rank
        pairs = other.pairs.map { pair in
            guard let pair else { return nil }
            let copy = LoRAPair(
                inputs: pair.inputs, outputs: pair.outputs, rank: rank,
                magnitude: pair.magnitude.map { DoRAMagnitude(copying: $0) })
            copy.a.pointer.update(from: pair.a.pointer, count: pair.a.count)
            copy.b.pointer.update(from: pair.b.pointer, count: pair.b.count)
            return copy
        }
    }

    private func isAdapted(_ projection: Projection) -> Bool {
        configuration.loraParameters.keys?.contains(projection.rawValue) ?? true
    }

    @inline(__always)
    private func slot(_ layer: Int, _ projection: Projection) -> Int {
        layer * 7 + projection.index
    }

    private static func name(
        _ layer: Int, _ projection: Projection, _ factor: AdapterTensorName.Factor
    ) -> String {
        AdapterTensorName(layer: layer, module: projection.rawValue, factor: factor).fullName
    }
}
