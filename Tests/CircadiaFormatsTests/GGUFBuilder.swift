import CircadiaTestSupport
import Foundation

import CircadiaFormats

/// Builds GGUF files in memory, right or wrong on purpose.
struct GGUFBuilder {
    enum Value {
        case u32(UInt32)
        case f32(Float)
        case bool(Bool)
        case string(String)
        case strings([String])
        case integers([Int32])
    }

    struct Tensor {
        var name: String
        /// Outermost first.
        var shape: [Int]
        var type: UInt32
        var bytes: [UInt8]
    }

    var version: UInt32 = 3
    var metadata: [(key: String, value: Value)] = []
    var tensors: [Tensor] = []

    subscript(key: String) -> Value? {
        get { metadata.first { $0.key == key }?.value }
        set {
            let position = metadata.firstIndex { $0.key == key }
            switch (position, newValue) {
            case (let position?, let value?): metadata[position].value = value
            case (let position?, nil): metadata.remove(at: position)
            case (nil, let value?): metadata.append((key, value))
            case (nil, nil): break
            }
        }
    }

    var bytes: [UInt8] {
        var out = Array("GGUF".utf8) + littleEndian([version])
        out += littleEndian([UInt64(tensors.count), UInt64(metadata.count)])
        for (key, value) in metadata {
            out += Self.string(key)
            switch value {
            case .u32(let number): out += littleEndian([UInt32(4), number])
            case .f32(let number): out += littleEndian([UInt32(6), number.bitPattern])
            case .bool(let flag): out += littleEndian([UInt32(7)]) + [flag ? 1 : 0]
            case .string(let text): out += littleEndian([UInt32(8)]) + Self.string(text)
            case .strings(let texts):
                out += littleEndian([UInt32(9), 8]) + littleEndian([UInt64(texts.count)])
                for text in texts { out += Self.string(text) }
            case .integers(let numbers):
                out += littleEndian([UInt32(9), 5]) + littleEndian([UInt64(numbers.count)])
                out += littleEndian(numbers)
            }
        }
        var offset = 0
        for tensor in tensors {
            out += Self.string(tensor.name) + littleEndian([UInt32(tensor.shape.count)])
            out += littleEndian(tensor.shape.reversed().map { UInt64($0) })
            out += littleEndian([tensor.type]) + littleEndian([UInt64(offset)])
            offset += (tensor.bytes.count + 31) / 32 * 32
        }
        for tensor in tensors {
            while out.count % 32 != 0 { out.append(0) }
            out += tensor.bytes
        }
        return out
    }

    private static func string(_ text: String) -> [UInt8] {
        littleEndian([UInt64(text.utf8.count)]) + Array(text.utf8)
    }
}

/// One matrix in a GGUF element format, with the values that it stands for.
struct GGUFMatrix {
    var type: GGUFTensorType
    var bytes: [UInt8]
    /// Row-major.
    var values: [Float]

    /// Random blocks of a format; the values are computed here from the format's definition.
    init(_ type: GGUFTensorType, count: Int, using generator: inout SplitMix64) {
        self.type = type
        bytes = []
        values = []
        switch type {
        case .f32, .f16, .bf16:
            for _ in 0..<count {
                let value = Float(Int.random(in: -512...511, using: &generator)) / 256
                switch type {
                case .f32: bytes += littleEndian([value])
                case .f16: bytes += littleEndian([HalfPrecision.half(value)])
                default: bytes += littleEndian([HalfPrecision.bfloat(value)])
                }
                values.append(
                    type == .bf16 ? HalfPrecision.float(bfloat: HalfPrecision.bfloat(value)) : value
                )
            }
        case .q4_0, .q4_1, .q8_0:
            for _ in 0..<count / 32 { appendBlock(using: &generator) }
        }
    }

    private mutating func appendBlock(using generator: inout SplitMix64) {
        let scale = UInt16.random(in: 0x0400...0x2FFF, using: &generator)
        let minimum = UInt16.random(in: 0x8400...0xAFFF, using: &generator)
        let d = HalfPrecision.float(half: scale)
        let m = HalfPrecision.float(half: minimum)
        bytes += littleEndian([scale])
        if type == .q8_0 {
            for _ in 0..<32 {
                let q = Int8.random(in: .min ... .max, using: &generator)
                bytes.append(UInt8(bitPattern: q))
                values.append(d * Float(q))
            }
            return
        }
        if type == .q4_1 { bytes += littleEndian([minimum]) }
        let nibbles = (0..<32).map { _ in UInt8.random(in: 0...15, using: &generator) }
        for index in 0..<16 { bytes.append(nibbles[index] | nibbles[index + 16] << 4) }
        values += nibbles.map { type == .q4_1 ? d * Float($0) + m : d * (Float($0) - 8) }
    }
}

/// A tiny Llama as a GGUF file.
struct TinyLlama {
    static let hidden = 64
    static let intermediate = 96
    static let heads = 4
    static let kvHeads = 2
    static let headDim = 16
    static let layers = 2
    static let vocabulary = 24

    var builder = GGUFBuilder()
    /// The values of each tensor as GGUF stores them.
    var values: [String: [Float]] = [:]

    /// A model whose blocks have matrices of `type`; the embedding is Q8_0.
    init(_ type: GGUFTensorType, seed: UInt64 = 1, hasHead: Bool = false) {
        var generator = SplitMix64(seed: seed)
        let metadata: [(String, GGUFBuilder.Value)] = [
            ("general.architecture", .string("llama")),
            ("llama.block_count", .u32(UInt32(Self.layers))),
            ("llama.context_length", .u32(128)),
            ("llama.embedding_length", .u32(UInt32(Self.hidden))),
            ("llama.feed_forward_length", .u32(UInt32(Self.intermediate))),
            ("llama.attention.head_count", .u32(UInt32(Self.heads))),
            ("llama.attention.head_count_kv", .u32(UInt32(Self.kvHeads))),
            ("llama.attention.layer_norm_rms_epsilon", .f32(1e-5)),
            ("llama.rope.freq_base", .f32(10000)),
            ("llama.rope.dimension_count", .u32(UInt32(Self.headDim))),
            ("tokenizer.ggml.model", .string("gpt2")),
            ("tokenizer.ggml.pre", .string("smollm")),
            ("tokenizer.ggml.tokens", .strings(Self.tokens)),
            ("tokenizer.ggml.merges", .strings(["a b", "ab c"])),
            (
                "tokenizer.ggml.token_type",
                .integers([3, 4] + [Int32](repeating: 1, count: Self.vocabulary - 2))
            ),
            ("tokenizer.ggml.bos_token_id", .u32(0)),
            ("tokenizer.ggml.eos_token_id", .u32(0)),
            ("tokenizer.chat_template", .string("{{ messages }}")),
        ]
        for (key, value) in metadata { builder[key] = value }
        let queries = Self.heads * Self.headDim
        let keys = Self.kvHeads * Self.headDim
        add("token_embd.weight", [Self.vocabulary, Self.hidden], .q8_0, &generator)
        add("output_norm.weight", [Self.hidden], .f32, &generator)
        if hasHead { add("output.weight", [Self.vocabulary, Self.hidden], type, &generator) }
        for layer in 0..<Self.layers {
            let block = "blk.\(layer)"
            add("\(block).attn_norm.weight", [Self.hidden], .f32, &generator)
            add("\(block).ffn_norm.weight", [Self.hidden], .f32, &generator)
            add("\(block).attn_q.weight", [queries, Self.hidden], type, &generator)
            add("\(block).attn_k.weight", [keys, Self.hidden], type, &generator)
            add("\(block).attn_v.weight", [keys, Self.hidden], type, &generator)
            add("\(block).attn_output.weight", [Self.hidden, queries], type, &generator)
            add("\(block).ffn_gate.weight", [Self.intermediate, Self.hidden], type, &generator)
            add("\(block).ffn_up.weight", [Self.intermediate, Self.hidden], type, &generator)
            add("\(block).ffn_down.weight", [Self.hidden, Self.intermediate], type, &generator)
        }
    }

    /// The control token, the user-defined one, then letters.
    static let tokens =
        ["<|end|>", "<user>"] + (0..<20).map { String(UnicodeScalar(UInt8(97 + $0))) }
        + ["ab", "abc"]

    mutating func add(
        _ name: String, _ shape: [Int], _ type: GGUFTensorType,
        _ generator: inout SplitMix64
    ) {
        let matrix = GGUFMatrix(type, count: shape.reduce(1, *), using: &generator)
        values[name] = matrix.values
        builder.tensors.append(
            GGUFBuilder.Tensor(
                name: name, shape: shape, type: type.rawValue, bytes: matrix.bytes))
    }

    /// Where an MLX tensor comes from and with which heads its rows are interleaved.
    static func source(of path: String) -> (name: String, headDim: Int?) {
        let names = [
            "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
            "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
            "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
            "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
        ]
        let whole = [
            "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
        ]
        if let name = whole[path] { return ("\(name).weight", nil) }
        let parts = path.split(separator: ".", maxSplits: 3)
        let module = String(parts[3])
        let isInterleaved = module.hasSuffix("q_proj") || module.hasSuffix("k_proj")
        return (
            "blk.\(parts[2]).\(names[module] ?? "?").weight", isInterleaved ? headDim : nil
        )
    }
}
