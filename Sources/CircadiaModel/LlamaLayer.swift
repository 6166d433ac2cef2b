import CircadiaFormats
import CircadiaKernels

/// One block of a Llama: attention and MLP, each behind an RMSNorm, each added to the residual.
///
/// Weights only; the forward pass is in `LlamaLayer+Attention.swift` and `LlamaLayer+MLP.swift`.
package final class LlamaLayer: Sendable {
    /// The block's number, from 0.
    package let index: Int

    // MARK: Attention

    /// `input_layernorm.weight`: `[hidden]`.
    package let inputNorm: WeightVector
    /// `self_attn.q_proj`: `[heads·headDim, hidden]`.
    package let q: WeightMatrix
    /// `self_attn.k_proj`: `[kvHeads·headDim, hidden]`.
    package let k: WeightMatrix
    /// `self_attn.v_proj`: `[kvHeads·headDim, hidden]`.
    package let v: WeightMatrix
    /// `self_attn.o_proj`: `[hidden, heads·headDim]`.
    package let o: WeightMatrix

    // MARK: MLP

    /// `post_attention_layernorm.weight`: `[hidden]`.
    package let postAttentionNorm: WeightVector
    /// `mlp.gate_proj`: `[intermediate, hidden]`.
    package let gate: WeightMatrix
    /// `mlp.up_proj`: `[intermediate, hidden]`.
    package let up: WeightMatrix
    /// `mlp.down_proj`: `[hidden, intermediate]`.
    package let down: WeightMatrix

    /// Argument lists of the fused products, made once because making an array costs an allocation.
    let queryKeyValue, keyValue, queryOnly, outputOnly, gateUp, downOnly: [WeightMatrix]

    /// Where keys and values stand among `queryKeyValue` and among `keyValue`. Their inputs are rounded to
    /// two digits (`Precision.int8x2`): they are 6% of a block's weights on SmolLM2-135M, but every later
    /// token reads what they gave, and with one digit they made a third of all KL from the exact path.
    static let keyValueOfThree = 1..<3, keyValueOfTwo = 0..<2

    /// Loads block `index`.
    ///
    /// - Throws: `FormatError.tensor` where a tensor is missing or of another shape.
    package init(directory: ModelDirectory, index: Int) throws(FormatError) {
        let configuration = directory.configuration
        func matrix(_ projection: Projection) throws(FormatError) -> WeightMatrix {
            try directory.weightMatrix(
                projection.path(layer: index), rows: projection.outputs(of: configuration),
                columns: projection.inputs(of: configuration))
        }
        func norm(_ name: String) throws(FormatError) -> WeightVector {
            try directory.vector(
                "model.layers.\(index).\(name).weight", count: configuration.hiddenSize)
        }
        self.index = index
        inputNorm = try norm("input_layernorm")
        q = try matrix(.q)
        k = try matrix(.k)
        v = try matrix(.v)
        o = try matrix(.o)
        postAttentionNorm = try norm("post_attention_layernorm")
        gate = try matrix(.gate)
        up = try matrix(.up)
        down = try matrix(.down)
        queryKeyValue = [q, k, v]
        keyValue = [k, v]
        queryOnly = [q]
        outputOnly = [o]
        gateUp = [gate, up]
        downOnly = [down]
    }

    /// The matrix of a projection.
    package func weight(_ projection: Projection) -> WeightMatrix {
        switch projection {
        case .q: q
        case .k: k
        case .v: v
        case .o: o
        case .gate: gate
        case .up: up
        case .down: down
        }
    }
}
