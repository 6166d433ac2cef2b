/// One matrix of an adapter, or DoRA's vector of magnitudes.
package struct AdapterTensor: Sendable, Equatable {
    /// Rows and columns; one element for a vector.
    package var shape: [Int]
    /// The values, row-major.
    package var values: [Float]

    /// Creates a tensor. The number of `values` must match `shape`; otherwise it traps.
    package init(shape: [Int], values: [Float]) {
        precondition(shape.reduce(1, *) == values.count, "values do not fit the shape \(shape)")
        self.shape = shape
        self.values = values
    }
}

/// The parts of a tensor name such as `model.layers.3.self_attn.q_proj.lora_a`.
package struct AdapterTensorName: Sendable, Equatable {
    /// The two factors of `A · B`, and DoRA's magnitudes.
    package enum Factor: String, Sendable, CaseIterable {
        /// `[in, rank]`.
        case a = "lora_a"
        /// `[rank, out]`.
        case b = "lora_b"
        /// `[out]`, for DoRA only.
        case magnitude = "m"
    }

    /// The block's number.
    package var layer: Int
    /// The module's path inside the block, such as `self_attn.q_proj`.
    package var module: String
    /// The factor.
    package var factor: Factor

    /// Creates a name from its parts.
    package init(layer: Int, module: String, factor: Factor) {
        self.layer = layer
        self.module = module
        self.factor = factor
    }

    /// Parses a full name; nil if it is not the name of a Llama's LoRA tensor.
    package init?(_ name: String) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "model", parts[1] == "layers",
            let layer = Int(parts[2]), layer >= 0, String(layer) == parts[2],
            let factor = Factor(rawValue: String(parts[5]))
        else { return nil }
        let module = "\(parts[3]).\(parts[4])"
        guard Self.modules.contains(module) else { return nil }
        self.init(layer: layer, module: module, factor: factor)
    }

    /// The full name.
    package var fullName: String { "model.layers.\(layer).\(module).\(factor.rawValue)" }

    /// The modules of a block that can be adapted.
    package static let modules = [
        "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
        "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
    ]

    /// The inputs and outputs of a module; nil for an unknown one.
    package static func widths(
        of module: String, in model: ModelConfiguration
    ) -> (inputs: Int, outputs: Int)? {
        let queries = model.headCount * model.headDim
        let keys = model.kvHeadCount * model.headDim
        return switch module {
        case "self_attn.q_proj": (model.hiddenSize, queries)
        case "self_attn.k_proj", "self_attn.v_proj": (model.hiddenSize, keys)
        case "self_attn.o_proj": (queries, model.hiddenSize)
        case "mlp.gate_proj", "mlp.up_proj": (model.hiddenSize, model.intermediateSize)
        case "mlp.down_proj": (model.intermediateSize, model.hiddenSize)
        default: nil
        }
    }
}
