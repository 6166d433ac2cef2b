import CircadiaKernels

/// The benchmarks in the order of the table. Each is created when its turn comes and freed
/// afterwards.
struct Suite {
    let memory: Memory
    let blas: BLAS?

    var benchmarks: [() -> Benchmark?] {
        ModelShape.all.flatMap { inference($0) + training($0) } + [
            { .adam(count: 1 << 21) },
            { .vectorSearch(count: 100_000, width: 384) },
        ]
    }

    private func inference(_ model: ModelShape) -> [() -> Benchmark?] {
        var list: [() -> Benchmark?] = []
        for tokens in [1, 128] {
            for projection in model.blockProjections + [model.head] {
                list.append { .matmul(.int8, model, projection, tokens: tokens, memory) }
            }
        }
        for depth in [1024, 4096] {
            list.append { .attentionDecode(model, depth: depth, memory) }
        }
        return list + [
            { .attentionPrefill(model, tokens: 512, memory) },
            { .rmsNorm(model, tokens: 128) }, { .rope(model, tokens: 128) },
            { .swiGLU(model, tokens: 128) },
        ]
    }

    private func training(_ model: ModelShape) -> [() -> Benchmark?] {
        let tokens = 128
        let hasBF16 = KernelRuntime.variants.contains { $0.kernel == "matmul_bf16" && $0.isActive }
        var list: [() -> Benchmark?] = []
        for projection in model.blockProjections {
            list.append { .matmul(.exact, model, projection, tokens: tokens, memory) }
            list.append {
                blas.map {
                    .sgemm($0, model, projection, tokens: tokens, isTransposed: false)
                }
            }
            list.append { .matmulTransposed(.exact, model, projection, tokens: tokens, memory) }
            list.append {
                blas.map { .sgemm($0, model, projection, tokens: tokens, isTransposed: true) }
            }
            if hasBF16 {
                list.append { .matmul(.bf16, model, projection, tokens: tokens, memory) }
                list.append {
                    .matmulTransposed(.bf16, model, projection, tokens: tokens, memory)
                }
            }
        }
        return list + [
            { .crossEntropy(model, tokens: tokens) },
            { .lora(model, tokens: tokens, rank: 8) },
        ]
    }
}
