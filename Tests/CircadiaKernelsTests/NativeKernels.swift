import CircadiaKernels

/// Makes calls on this processor, through the Swift door `Kernels`. Tests/KernelProgram/entries.c
/// is its counterpart.
final class NativeKernels: KernelExecutor {
    let threadCounts = [1, 2, 8]

    func run(
        _ call: KernelCall, on variant: VariantName?, misalignment: Int, threads: Int
    ) throws -> KernelOutcome {
        let memory = KernelMemory(call, misalignment: misalignment)
        try KernelRuntime.withISA("scalar") {
            try KernelRuntime.withThreads(threads) {
                guard let variant else { return try make(call, memory) }
                try KernelRuntime.withVariant(variant.name, of: variant.kernel) {
                    try make(call, memory)
                }
            }
        }
        return memory.outcome
    }

    private func make(_ call: KernelCall, _ m: KernelMemory) throws {
        let (n, f) = (call.integers, call.floats)
        switch call.entry {
        case .matmul:
            Kernels.matmul(
                Precision.numbered[n[0]], x: m.floats(0), tokens: n[1],
                weights: [try matrix(n[3...], m)], outputs: [m.floats(4)], accumulate: n[2] != 0,
                workspace: m.workspace)
        case .matmulTransposed:
            Kernels.matmulTransposed(
                Precision.numbered[n[0]], dy: m.floats(0), tokens: n[1],
                weight: try matrix(n[3...], m), dx: m.floats(4), accumulate: n[2] != 0,
                workspace: m.workspace)
        case .rmsNorm:
            Kernels.rmsNorm(
                x: m.floats(0), weight: m.floats(1), tokens: n[0], width: n[1], epsilon: f[0],
                y: m.floats(2), rstd: m.optionalFloats(3))
        case .rmsNormBackward:
            Kernels.rmsNormBackward(
                x: m.floats(0), weight: m.floats(1), rstd: m.floats(2), dy: m.floats(3),
                tokens: n[0], width: n[1], dx: m.floats(4))
        case .layerNorm:
            Kernels.layerNorm(
                x: m.floats(0), weight: m.floats(1), bias: m.floats(2), tokens: n[0], width: n[1],
                epsilon: f[0], y: m.floats(3))
        case .rope:
            Kernels.rope(
                m.floats(0), positions: m.integers(1), frequencies: m.floats(2), tokens: n[0],
                heads: n[1], headDim: n[2], inverse: n[3] != 0)
        case .swiGLU:
            Kernels.swiGLU(
                gate: m.floats(0), up: m.floats(1), tokens: n[0], width: n[1], out: m.floats(2))
        case .swiGLUBackward:
            Kernels.swiGLUBackward(
                gate: m.floats(0), up: m.floats(1), dout: m.floats(2), count: n[0],
                dgate: m.floats(3), dup: m.floats(4))
        case .gelu: Kernels.gelu(x: m.floats(0), count: n[0], out: m.floats(1))
        case .addBias:
            Kernels.addBias(m.floats(0), bias: m.floats(1), tokens: n[0], width: n[1])
        case .add: Kernels.add(m.floats(0), m.floats(1), count: n[0])
        case .cacheAppend:
            let cache = self.cache(2, call, m)
            Kernels.append(
                keys: m.floats(6), values: m.floats(7), to: cache, shape: shape(call))
            for (index, part) in parts(of: cache).enumerated() {
                m.bytes([2, 4, 3, 5][index]).copyMemory(from: UnsafeRawBufferPointer(part))
            }
        case .attention:
            Kernels.attention(
                shape(call), q: m.floats(2), cache: cache(3, call, m),
                firstKey: m.optionalIntegers(0), endKey: m.optionalIntegers(1), out: m.floats(7),
                logSum: m.optionalFloats(8), workspace: m.workspace)
        case .attentionBackward:
            Kernels.attentionBackward(
                shape(call), q: m.floats(2), k: m.floats(3), v: m.floats(4), out: m.floats(5),
                logSum: m.floats(6), dout: m.floats(7), firstKey: m.optionalIntegers(0),
                endKey: m.optionalIntegers(1), dq: m.floats(8), dk: m.floats(9), dv: m.floats(10),
                workspace: m.workspace)
        case .crossEntropy:
            Kernels.crossEntropy(
                logits: m.floats(0), targets: m.integers(1), tokens: n[0], vocabulary: n[1],
                rowScale: f[0], losses: m.floats(2), gradient: m.optionalFloats(3))
        case .argmax: m.setReturned(Double(Kernels.argmax(m.floats(0), count: n[0])), at: 1)
        case .lora:
            Kernels.lora(
                x: m.floats(0), a: m.floats(1), b: m.floats(2), scale: f[0], tokens: n[0],
                inputs: n[1], outputs: n[2], rank: n[3], xa: m.floats(3), y: m.floats(4))
        case .loraBackward:
            Kernels.loraBackward(
                x: m.floats(0), xa: m.floats(1), a: m.floats(2), b: m.floats(3), dy: m.floats(4),
                scale: f[0], tokens: n[0], inputs: n[1], outputs: n[2], rank: n[3],
                da: m.floats(5), db: m.floats(6), dx: m.optionalFloats(7), workspace: m.workspace)
        case .sumSquares: m.setReturned(Kernels.sumSquares(m.floats(0), count: n[0]), at: 1)
        case .adam:
            Kernels.adam(
                Kernels.AdamStep(call), gradient: m.floats(0), count: n[2], parameter: m.floats(1),
                m: m.floats(2), v: m.floats(3))
        case .bm25:
            let weights = Kernels.BM25(
                saturation: f[0], constant: f[1], perContextWord: f[2], perSideWord: f[3],
                previous: f[4], following: f[5])
            let best = Kernels.bm25(
                weights, counts: m.pointer(0),
                information: m.floats(1), terms: n[0], exchanges: exchanges(2, n[1], m),
                adds: n[2] != 0, sums: m.floats(7))
            (m.floats(8)[0], m.floats(8)[1], m.floats(8)[2]) = best
        case .fuseScores:
            let weights = Kernels.Fusion(
                whole: f[0], asked: f[1], other: f[2], coverage: f[3], askedNear: f[4],
                otherNear: f[5], previousUser: f[6], previousOther: f[7], following: f[8],
                absent: f[9], namesTime: f[10])
            Kernels.fuseScores(
                weights, sums: m.floats(0), nearUser: m.floats(1), nearOther: m.floats(2),
                exchanges: exchanges(3, n[0], m), block: n[1], scores: m.floats(8),
                highest: m.floats(9))
        case .dotRows:
            Kernels.dotRows(
                vectors: m.floats(0), query: m.floats(1), count: n[0], width: n[1],
                scores: m.floats(2))
        case .dotRowsBits:
            Kernels.dotRows(
                signs: m.smallIntegers(0), scales: m.floats(1), query: m.smallIntegers(2),
                queryScale: call.floats[0], count: n[0], width: n[1], scores: m.floats(3))
        case .dotRowsInt8:
            Kernels.dotRows(
                vectors: m.smallIntegers(0), scales: m.floats(1), query: m.smallIntegers(2),
                queryScale: call.floats[0], count: n[0], width: n[1], scores: m.floats(3))
        }
    }

    // MARK: Operands that are structs

    /// Operands `first` and on: links, sides, words of the neighbourhood, of the user, of the other side.
    private func exchanges(_ first: Int, _ count: Int, _ m: KernelMemory) -> Kernels.Exchanges {
        let (links, sides): (UnsafeMutablePointer<UInt8>, _) = (
            m.pointer(first), m.smallIntegers(first + 1)
        )
        let user: UnsafeMutablePointer<UInt16> = m.pointer(first + 3)
        let other: UnsafeMutablePointer<UInt16> = m.pointer(first + 4)
        return Kernels.Exchanges(
            count: count, links: links, sides: sides, contextWords: m.floats(first + 2),
            userWords: user, otherWords: other)
    }

    /// The matrix of the integers `n`, packed from operands 1, 2 and 3.
    private func matrix(_ n: ArraySlice<Int>, _ m: KernelMemory) throws -> WeightMatrix {
        let n = Array(n)
        let format = FloatFormat.numbered[n[4]]
        let source = (1...3).map { UnsafeRawBufferPointer(m.bytes($0)) }
        if n[2] == 32 {
            return WeightMatrix(dense: source[0], format: format, rows: n[0], columns: n[1])
        }
        return try WeightMatrix(
            words: source[0], scales: source[1], biases: source[2], scaleFormat: format,
            rows: n[0], columns: n[1], bits: n[2], groupSize: n[3])
    }

    private func shape(_ call: KernelCall) -> AttentionShape {
        let n = call.integers
        var shape = AttentionShape(
            tokens: n[0], past: n[1], heads: n[2], kvHeads: n[3], headDim: n[4], capacity: n[5])
        shape.scale = call.floats[0]
        return shape
    }

    /// A cache with the bytes of operands `index ...`: keys, their steps, values, their steps.
    private func cache(_ index: Int, _ call: KernelCall, _ m: KernelMemory) -> AttentionCache {
        let n = call.integers
        let cache = AttentionCache(
            kvHeads: n[3], capacity: n[5], headDim: n[4], format: CacheFormat.allCases[n[6]])
        for (part, offset) in zip(parts(of: cache), [0, 2, 1, 3]) {
            part.copyMemory(from: UnsafeRawBufferPointer(m.bytes(index + offset)))
        }
        return cache
    }

    /// Keys, values, and the steps of both where there are any.
    private func parts(of cache: AttentionCache) -> [UnsafeMutableRawBufferPointer] {
        cache.numbers + cache.steps.map { UnsafeMutableRawBufferPointer($0) }
    }
}

extension Kernels.AdamStep {
    /// The step of a call, its settings in the order of `ck_adam_t`.
    fileprivate init(_ call: KernelCall) {
        let f = call.floats
        self.init(learningRate: f[0], step: call.integers[0])
        (beta1, beta2, epsilon) = (f[1], f[2], f[3])
        (weightDecay, gradientScale) = (f[4], f[5])
        usesBiasCorrection = call.integers[1] != 0
    }
}

extension KernelMemory {
    /// Stores what an entry returned.
    fileprivate func setReturned(_ value: Double, at index: Int) {
        bytes(index).storeBytes(of: value, as: Double.self)
    }
}
