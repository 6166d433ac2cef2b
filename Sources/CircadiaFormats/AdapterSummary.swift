import Foundation

/// A summary of an adapter and the size of its values. It needs no model.
package struct AdapterSummary: Sendable, Equatable, Encodable {
    /// One adapted module.
    package struct Module: Sendable, Equatable, Encodable {
        /// The block's number.
        package let layer: Int
        /// The module's path inside the block.
        package let key: String
        /// `[in, out]` of the module.
        package let inputs, outputs: Int
        /// Frobenius norms of A, of B and of scale · A · B, the change of the weights.
        package let normA, normB, normDelta: Double
    }

    /// The name of the file format.
    package let format: String
    /// `lora` or `dora`.
    package let kind: String
    /// Columns of A.
    package let rank: Int
    /// The factor on the product, and PEFT's alpha, which is scale · rank.
    package let scale, alpha: Double
    /// The adapted blocks.
    package let layers: [Int]
    /// The adapted modules of a block.
    package let keys: [String]
    /// The number of values in all tensors.
    package let parameters: Int
    /// Frobenius norm of scale · A · B over all modules.
    package let normDelta: Double
    /// The program that trained the adapter, from the configuration; empty if it does not say.
    package let trainedBy: String
    /// Every adapted module.
    package let modules: [Module]

    /// Summarises an adapter in MLX's form.
    package init(
        format: AdapterFormat, configuration: AdapterConfiguration,
        tensors: [String: AdapterTensor]
    ) {
        let parameters = configuration.loraParameters
        let adapted = AdapterModule.modules(of: configuration, tensors)
        self.format = format.rawValue
        kind = configuration.kind.rawValue
        rank = parameters.rank
        scale = parameters.scale
        alpha = parameters.scale * Double(parameters.rank)
        layers = Set(adapted.map(\.layer)).sorted()
        keys = AdapterTensorName.modules.filter { path in adapted.contains { $0.path == path } }
        self.parameters = tensors.values.reduce(0) { $0 + $1.values.count }
        modules = adapted.map { module in
            Module(
                layer: module.layer, key: module.path, inputs: module.a.shape[0],
                outputs: module.b.shape[1], normA: module.a.norm, normB: module.b.norm,
                normDelta: max(0, module.inner(module)).squareRoot())
        }
        normDelta = modules.reduce(0) { $0 + $1.normDelta * $1.normDelta }.squareRoot()
        trainedBy = Self.origin(configuration)
    }

    /// The program that wrote the adapter, in words: this program, mlx_lm or PEFT.
    private static func origin(_ configuration: AdapterConfiguration) -> String {
        let members = configuration.otherMembers
        if let own = configuration.origin {
            let parts = own.members.map { "\($0.key): \($0.value.stringValue ?? $0.value.text())" }
            return "circadia, " + parts.joined(separator: ", ")
        }
        // mlx_lm.lora saves all its arguments.
        let known = ["model", "data", "iters", "learning_rate", "batch_size", "optimizer", "seed"]
        let found = known.compactMap { key in
            members[key].map { "\(key): \($0.stringValue ?? $0.text())" }
        }
        return found.isEmpty ? "" : "mlx_lm.lora, " + found.joined(separator: ", ")
    }
}

extension AdapterTensor {
    /// The Frobenius norm.
    var norm: Double {
        values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    }
}
