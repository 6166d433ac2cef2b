import CircadiaKernels

/// The precision of the products with frozen weights.
///
/// With `.bf16`, the head and the backward pass compute in bf16. The blocks' forward products take
/// their inputs as two int8 digits, which meet the 4-bit weights as integers. That keeps 15 bits of
/// the input instead of 8, and the weights are not rounded. Gradients depend most on the errors of
/// these products, because every later block and softmax uses them. On SmolLM2-135M with all blocks
/// adapted, bf16 in them turns the gradient of a matrix by up to 4° from the f32 gradient, two
/// digits by 1°.
struct ProductPrecisions {
    /// The precision of a block's forward products.
    let forward: Precision
    /// The precision of backward products, with transposed matrices.
    let backward: Precision
    /// The precision of the output head. No later layer amplifies its error.
    let head: Precision

    init(_ precision: Precision) {
        forward = precision == .bf16 && KernelRuntime.hasBF16 ? .int8x2 : precision
        backward = precision
        head = precision
    }
}
