import CircadiaFormats

/// The seven matrices of a Llama block; the raw value is the module's path inside the block.
package enum Projection: String, CaseIterable, Sendable, Hashable {
    /// Hidden states to queries.
    case q = "self_attn.q_proj"
    /// Hidden states to keys.
    case k = "self_attn.k_proj"
    /// Hidden states to values.
    case v = "self_attn.v_proj"
    /// Attention's output back to the residual stream.
    case o = "self_attn.o_proj"
    /// Hidden states to the MLP's gate.
    case gate = "mlp.gate_proj"
    /// Hidden states to the MLP's upward half.
    case up = "mlp.up_proj"
    /// The MLP's inner width back to the residual stream.
    case down = "mlp.down_proj"

    /// The position in `allCases`.
    package var index: Int {
        switch self {
        case .q: 0
        case .k: 1
        case .v: 2
        case .o: 3
        case .gate: 4
        case .up: 5
        case .down: 6
        }
    }

    /// The module's path in a checkpoint, such as `model.layers.3.mlp.up_proj`.
    package func path(layer: Int) -> String { "model.layers.\(layer).\(rawValue)" }

    /// Columns of the matrix in a model of this shape.
    package func inputs(of configuration: ModelConfiguration) -> Int {
        switch self {
        case .q, .k, .v, .gate, .up: configuration.hiddenSize
        case .o: configuration.headCount * configuration.headDim
        case .down: configuration.intermediateSize
        }
    }

    /// Rows of the matrix in a model of this shape.
    package func outputs(of configuration: ModelConfiguration) -> Int {
        switch self {
        case .q: configuration.headCount * configuration.headDim
        case .k, .v: configuration.kvHeadCount * configuration.headDim
        case .gate, .up: configuration.intermediateSize
        case .o, .down: configuration.hiddenSize
        }
    }
}
