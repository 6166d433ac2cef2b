import CircadiaKernels

/// What the products with frozen weights compute in.
///
/// Where training is in `.bf16`, those of the head and all on the way back are. Those of the blocks on the
/// way forward take their inputs as two int8 digits, which meet the 4-bit weights as the integers that
/// they are: 15 bits of the input instead of 8, and nothing rounded off the weights. Gradients suffer most
/// from errors of these, for every later block and softmax works on them: on SmolLM2-135M with all blocks
/// adapted, bf16 there turns the gradient of a matrix by up to 4° from f32's, two digits by 1°.
struct ProductPrecisions {
    /// Of a block's products on the way forward.
    let forward: Precision
    /// Of products with a matrix transposed, on the way back.
    let backward: Precision
    /// Of the output head, after which no error grows.
    let head: Precision

    init(_ precision: Precision) {
        forward = precision == .bf16 && KernelRuntime.hasBF16 ? .int8x2 : precision
        backward = precision
        head = precision
    }
}
