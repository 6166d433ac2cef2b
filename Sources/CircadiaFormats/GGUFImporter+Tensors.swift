import Foundation

/// The sizes that decide the shape of every tensor.
struct ImportDimensions {
    var hidden: Int
    var intermediate: Int
    var layers: Int
    var heads: Int
    var kvHeads: Int
    var headDim: Int
    var vocabulary: Int
}

/// One tensor to convert from GGUF to MLX.
struct ImportedTensor {
    /// The tensor in the GGUF file.
    var source: GGUFTensor
    /// The MLX module path, such as `model.layers.0.self_attn.q_proj`.
    var path: String
    /// For q and k: the size of the heads whose rows are interleaved.
    var interleavedHeadDim: Int?

    /// Every tensor of the file under its MLX name, checked against the metadata.
    static func all(
        _ file: GGUFFile, dimensions: ImportDimensions
    ) throws(GGUFProblem) -> [ImportedTensor] {
        var expected: [(name: String, path: String, shape: [Int], interleaved: Bool)] = [
            (
                "token_embd.weight", "model.embed_tokens",
                [dimensions.vocabulary, dimensions.hidden], false
            ),
            ("output_norm.weight", "model.norm", [dimensions.hidden], false),
        ]
        if file.tensor("output.weight") != nil {
            expected.append(
                ("output.weight", "lm_head", [dimensions.vocabulary, dimensions.hidden], false))
        }
        let queries = dimensions.heads * dimensions.headDim
        let keys = dimensions.kvHeads * dimensions.headDim
        let modules: [(String, String, [Int], Bool)] = [
            ("attn_norm", "input_layernorm", [dimensions.hidden], false),
            ("ffn_norm", "post_attention_layernorm", [dimensions.hidden], false),
            ("attn_q", "self_attn.q_proj", [queries, dimensions.hidden], true),
            ("attn_k", "self_attn.k_proj", [keys, dimensions.hidden], true),
            ("attn_v", "self_attn.v_proj", [keys, dimensions.hidden], false),
            ("attn_output", "self_attn.o_proj", [dimensions.hidden, queries], false),
            ("ffn_gate", "mlp.gate_proj", [dimensions.intermediate, dimensions.hidden], false),
            ("ffn_up", "mlp.up_proj", [dimensions.intermediate, dimensions.hidden], false),
            ("ffn_down", "mlp.down_proj", [dimensions.hidden, dimensions.intermediate], false),
        ]
        for layer in 0..<dimensions.layers {
            for (name, path, shape, interleaved) in modules {
                expected.append(
                    (
                        "blk.\(layer).\(name).weight", "model.layers.\(layer).\(path)", shape,
                        interleaved
                    ))
            }
        }
        var byName: [String: GGUFTensor] = [:]
        for tensor in file.tensors { byName[tensor.name] = tensor }
        // The rotary divisors have become `rope_scaling`.
        byName["rope_freqs.weight"] = nil
        var result: [ImportedTensor] = []
        for (name, path, shape, interleaved) in expected {
            guard let tensor = byName.removeValue(forKey: name) else { throw .missingTensor(name) }
            guard tensor.shape == shape else {
                throw .wrongShape(tensor: name, expected: shape, found: tensor.shape)
            }
            if shape.count == 1, tensor.type.isQuantized {
                throw .unsupportedTensorType(
                    tensor: name, type: GGUFTensorType.name(of: tensor.type.rawValue))
            }
            result.append(
                ImportedTensor(
                    source: tensor, path: path,
                    interleavedHeadDim: interleaved ? dimensions.headDim : nil))
        }
        if let extra = byName.keys.sorted().first { throw .unknownTensor(extra) }
        return result
    }

    /// The row of the GGUF tensor that becomes row `row` of the MLX tensor.
    ///
    /// llama.cpp turns `[heads, 2, headDim/2]` into `[heads, headDim/2, 2]`.
    func sourceRow(_ row: Int) -> Int {
        guard let headDim = interleavedHeadDim else { return row }
        let (head, inner) = row.quotientAndRemainder(dividingBy: headDim)
        let (half, pair) = inner.quotientAndRemainder(dividingBy: headDim / 2)
        return head * headDim + 2 * pair + half
    }
}

extension ImportPlan {
    private enum Part {
        case words, scales, biases, dense
    }

    /// Streams every tensor to a safetensors file: packed words first, then tensors of smaller
    /// elements.
    func writeWeights(to url: URL, progress: ((Double) -> Void)?) throws {
        var parts: [(tensor: ImportedTensor, part: Part, description: TensorDescription)] = []
        for tensor in tensors {
            let shape = tensor.source.shape
            guard let format = tensor.source.type.quantization else {
                parts.append(
                    (
                        tensor, .dense,
                        TensorDescription(
                            name: "\(tensor.path).weight", type: denseType(tensor.source.type),
                            shape: shape)
                    ))
                continue
            }
            let groups = [shape[0], shape[1] / format.groupSize]
            let scaleType: SafetensorsType = scalesFitHalf(tensor) ? .f16 : .f32
            parts.append(
                (
                    tensor, .words,
                    TensorDescription(
                        name: "\(tensor.path).weight", type: .u32,
                        shape: [shape[0], shape[1] * format.bits / 32])
                ))
            for (part, suffix) in [(Part.scales, "scales"), (.biases, "biases")] {
                parts.append(
                    (
                        tensor, part,
                        TensorDescription(
                            name: "\(tensor.path).\(suffix)", type: scaleType, shape: groups)
                    ))
            }
        }
        // A stable order with larger elements first keeps every tensor aligned.
        let ordered =
            parts.filter { $0.description.type.byteCount == 4 }
            + parts.filter { $0.description.type.byteCount != 4 }
        let total = Double(ordered.reduce(0) { $0 + $1.description.byteCount })
        var done = 0
        try SafetensorsWriter.write(ordered.map(\.description), to: url) {
            (index, sink) throws in
            let (tensor, part, description) = ordered[index]
            let bytes =
                switch part {
                case .words: words(tensor)
                case .scales: groups(tensor, description.type, biases: false)
                case .biases: groups(tensor, description.type, biases: true)
                case .dense: dense(tensor)
                }
            try bytes.withUnsafeBytesTyped(sink)
            done += bytes.count
            progress?(Double(done) / total)
        }
    }

    private func denseType(_ type: GGUFTensorType) -> SafetensorsType {
        switch type {
        case .f16: .f16
        case .bf16: .bf16
        default: .f32
        }
    }

    /// Calls `body` with the bytes of each row in the order of the MLX tensor.
    private func forEachRow(
        _ tensor: ImportedTensor, _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        let bytes = file.bytes(of: tensor.source)
        defer { withExtendedLifetime(file) {} }
        let rows = tensor.source.shape.count == 1 ? 1 : tensor.source.shape[0]
        guard rows > 0 else { return }
        let stride = bytes.count / rows
        for row in 0..<rows {
            let start = tensor.sourceRow(row) * stride
            body(UnsafeRawBufferPointer(rebasing: bytes[start..<start + stride]))
        }
    }

    private func dense(_ tensor: ImportedTensor) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(tensor.source.byteRange.count)
        forEachRow(tensor) { out.append(contentsOf: $0) }
        return out
    }

    /// The quantised values in MLX's order: element j of a row is at bits `bits · j`.
    private func words(_ tensor: ImportedTensor) -> [UInt8] {
        let type = tensor.source.type
        let header = type == .q4_1 ? 4 : 2
        let blocks = tensor.source.byteRange.count / type.blockByteCount
        let blockOut = type == .q8_0 ? 32 : 16
        return [UInt8](unsafeUninitializedCapacity: blocks * blockOut) { out, initialized in
            var position = 0
            forEachRow(tensor) { row in
                for start in stride(from: header, to: row.count, by: type.blockByteCount) {
                    if type == .q8_0 {
                        // int8 q becomes the unsigned q + 128.
                        for index in 0..<32 { out[position + index] = row[start + index] ^ 0x80 }
                    } else {
                        // Byte j holds element j low and j + 16 high.
                        for index in 0..<8 {
                            let (even, odd) = (row[start + 2 * index], row[start + 2 * index + 1])
                            out[position + index] = even & 0xF | odd << 4
                            out[position + 8 + index] = even >> 4 | odd & 0xF0
                        }
                    }
                    position += blockOut
                }
            }
            initialized = position
        }
    }

    /// A block's f16 scale and its bias in binary32. All products are by powers of two, so they are
    /// exact.
    private func scaleAndBias(
        _ type: GGUFTensorType, _ block: UnsafeRawBufferPointer, _ start: Int
    ) -> (scale: Float, bias: Float) {
        let scale = HalfPrecision.float(
            half: block.loadUnaligned(fromByteOffset: start, as: UInt16.self))
        switch type {
        case .q4_0: return (scale, -8 * scale)
        case .q8_0: return (scale, -128 * scale)
        default:
            return (
                scale,
                HalfPrecision.float(
                    half: block.loadUnaligned(fromByteOffset: start + 2, as: UInt16.self))
            )
        }
    }

    /// Whether binary16 can represent every bias exactly. If not, scales and biases are written as
    /// F32.
    private func scalesFitHalf(_ tensor: ImportedTensor) -> Bool {
        if tensor.source.type == .q4_1 { return true }
        var fits = true
        forEachRow(tensor) { row in
            for start in stride(from: 0, to: row.count, by: tensor.source.type.blockByteCount) {
                let (scale, bias) = scaleAndBias(tensor.source.type, row, start)
                fits = fits && (abs(bias) <= 65504 || !scale.isFinite)
            }
        }
        return fits
    }

    private func groups(
        _ tensor: ImportedTensor, _ outType: SafetensorsType, biases: Bool
    ) -> [UInt8] {
        let type = tensor.source.type
        var out: [UInt8] = []
        out.reserveCapacity(
            tensor.source.byteRange.count / type.blockByteCount * outType.byteCount)
        forEachRow(tensor) { row in
            for start in stride(from: 0, to: row.count, by: type.blockByteCount) {
                let (scale, bias) = scaleAndBias(type, row, start)
                let value = biases ? bias : scale
                if outType == .f16 {
                    let bits = HalfPrecision.half(value)
                    out.append(UInt8(truncatingIfNeeded: bits))
                    out.append(UInt8(truncatingIfNeeded: bits >> 8))
                } else {
                    withUnsafeBytes(of: value.bitPattern.littleEndian) {
                        out.append(contentsOf: $0)
                    }
                }
            }
        }
        return out
    }
}
