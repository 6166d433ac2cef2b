import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFiles
import CircadiaFormats
import CircadiaKernels

@Suite struct GGUFTests {
    /// The values of a matrix of an MLX directory, dequantised here from words, scales and biases.
    private func values(_ file: SafetensorsFile, _ path: String) throws -> [Float] {
        guard let scalesEntry = file.tensors["\(path).scales"] else {
            return try file.floats(of: "\(path).weight")
        }
        let columnsOfGroups = scalesEntry.shape[1]
        let scales = try file.floats(of: "\(path).scales")
        let biases = try file.floats(of: "\(path).biases")
        return try file.withBytes(of: "\(path).weight") { words in
            let bits = words.count * 8 / (32 * scales.count)
            let columns = columnsOfGroups * 32
            return (0..<scales.count * 32).map { index in
                let (row, column) = index.quotientAndRemainder(dividingBy: columns)
                let position = (row * columns + column) * bits
                let word = words.loadUnaligned(
                    fromByteOffset: position / 32 * 4, as: UInt32.self)
                let q = word >> UInt32(position % 32) & (1 << UInt32(bits) - 1)
                let group = row * columnsOfGroups + column / 32
                return scales[group] * Float(q) + biases[group]
            }
        }
    }

    /// Rows as Hugging Face keeps them, from rows as llama.cpp does.
    private func unpermuted(_ values: [Float], headDim: Int?, rows: Int) -> [Float] {
        guard let headDim else { return values }
        let columns = values.count / rows
        return (0..<rows).flatMap { row -> ArraySlice<Float> in
            let inner = row % headDim
            let isSecondHalf = inner >= headDim / 2
            let source = row - inner + 2 * (inner % (headDim / 2)) + (isSecondHalf ? 1 : 0)
            return values[source * columns..<(source + 1) * columns]
        }
    }

    @Test(arguments: GGUFTensorType.allCases, [false, true])
    func everyTypeKeepsItsValues(type: GGUFTensorType, hasHead: Bool) throws {
        let folder = try TemporaryFolder()
        let llama = TinyLlama(type, seed: UInt64(type.rawValue) + 7, hasHead: hasHead)
        let gguf = try folder.write("m.gguf", llama.builder.bytes)
        var steps: [Double] = []
        try GGUFImporter.importModel(gguf: gguf, to: folder.file("m")) { steps.append($0) }
        #expect(steps.last == 1)
        let file = try SafetensorsFile(path: folder.file("m/model.safetensors"))
        let paths = Set(
            file.tensors.keys.map { $0.split(separator: ".").dropLast().joined(separator: ".") })
        #expect(paths.count == llama.values.count)
        for path in paths {
            let source = TinyLlama.source(of: path)
            let stored = try #require(llama.values[source.name], "\(path)")
            let rows = file.tensors["\(path).weight"]?.shape.first ?? 1
            let expected = unpermuted(stored, headDim: source.headDim, rows: rows)
            #expect(try values(file, path) == expected, "\(type) \(path)")
        }
        let directory = try ModelDirectory(folder.file("m"), usesPackCache: false)
        #expect(directory.configuration.tiesWordEmbeddings == !hasHead)
        #expect(directory.configuration.rmsNormEpsilon == 1e-5)
        let matrix = try directory.weightMatrix(
            "model.layers.1.mlp.down_proj", rows: TinyLlama.hidden,
            columns: TinyLlama.intermediate)
        #expect(matrix.bits == (type.quantization?.bits ?? 32))
    }

    @Test func theTokenizerIsTranslated() throws {
        let folder = try TemporaryFolder()
        let gguf = try folder.write("m.gguf", TinyLlama(.q4_1).builder.bytes)
        try GGUFImporter.importModel(gguf: gguf, to: folder.file("m"))
        let json = try JSONValue(contentsOf: folder.file("m/tokenizer.json"))
        #expect(json["model"]?["vocab"]?.objectValue?.keys == TinyLlama.tokens)
        #expect(json["model"]?["merges"] == .array([.string("a b"), .string("ab c")]))
        let added = json["added_tokens"]?.arrayValue ?? []
        #expect(added.map { $0["special"] } == [.bool(true), .bool(false)])
        #expect(added.map { $0["content"] } == [.string("<|end|>"), .string("<user>")])
        #expect(
            json["pre_tokenizer"]?["pretokenizers"]?.arrayValue?.first?["type"]
                == .string("Digits"))
        let configuration = try JSONValue(contentsOf: folder.file("m/tokenizer_config.json"))
        #expect(configuration["chat_template"] == .string("{{ messages }}"))
        #expect(configuration["eos_token"] == .string("<|end|>"))
    }

    @Test func llama3FactorsBecomeRopeScaling() throws {
        let folder = try TemporaryFolder()
        var llama = TinyLlama(.q8_0)
        llama.builder["llama.rope.freq_base"] = .f32(500_000)
        llama.builder["tokenizer.ggml.pre"] = .string("llama-bpe")
        // factor 8, low 1, high 4, old length 8192; headDim 16.
        let factors = (0..<8).map { index -> Float in
            let wavelength = 2 * Double.pi * pow(500_000, Double(index) / 8)
            let ratio = 8192 / wavelength
            if ratio < 1 { return 8 }
            if ratio > 4 { return 1 }
            let smooth = (ratio - 1) / 3
            return Float(1 / ((1 - smooth) / 8 + smooth))
        }
        llama.builder.tensors.append(
            GGUFBuilder.Tensor(
                name: "rope_freqs.weight", shape: [8], type: 0, bytes: littleEndian(factors)))
        let gguf = try folder.write("m.gguf", llama.builder.bytes)
        try GGUFImporter.importModel(gguf: gguf, to: folder.file("m"))
        let configuration = try ModelConfiguration(directory: folder.file("m"))
        #expect(
            configuration.ropeScaling
                == RopeScaling(
                    factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4,
                    originalContextLength: 8192))
        let tokenizer = try JSONValue(contentsOf: folder.file("m/tokenizer.json"))
        #expect(tokenizer["model"]?["ignore_merges"] == .bool(true))
        #expect(tokenizer["post_processor"]?["type"] == .string("TemplateProcessing"))

        llama.builder.tensors[llama.builder.tensors.count - 1].bytes = littleEndian(
            factors.map { $0 * $0 })
        let other = try folder.write("o.gguf", llama.builder.bytes)
        #expect(
            message(in: folder) {
                try GGUFImporter.importModel(gguf: other, to: folder.file("o"))
            }
                == "o.gguf: cannot be imported: the rotary factors in rope_freqs.weight are not "
                + "those of Llama 3.")
        #expect(!FileManager.default.fileExists(atPath: folder.file("o").path))
    }

    @Test func brokenFilesAreRefusedWithTheirPlace() throws {
        let folder = try TemporaryFolder()
        func check(_ expected: String, _ change: (inout GGUFBuilder) -> Void) throws {
            var builder = TinyLlama(.q4_1).builder
            change(&builder)
            let url = try folder.write("m.gguf", builder.bytes)
            #expect(
                message(in: folder) {
                    try GGUFImporter.importModel(gguf: url, to: folder.file("m"))
                } == "m.gguf: cannot be imported: \(expected).")
            #expect(!FileManager.default.fileExists(atPath: folder.file("m").path))
        }
        try check("GGUF version 1 is not supported; 2 and 3 are") { $0.version = 1 }
        try check("the architecture “qwen2” is not supported; “llama” is") {
            $0["general.architecture"] = .string("qwen2")
        }
        try check(
            "the metadata “llama.block_count” are missing or of another type; expected "
                + "a positive integer"
        ) { $0["llama.block_count"] = nil }
        try check(
            "the metadata “llama.rope.dimension_count” say 8, expected 16, the head dimension"
        ) { $0["llama.rope.dimension_count"] = .u32(8) }
        try check("the metadata “llama.rope.scaling.type” say yarn, expected none") {
            $0["llama.rope.scaling.type"] = .string("yarn")
        }
        try check("“spm” (tokenizer.ggml.model) is a tokenizer without a known translation") {
            $0["tokenizer.ggml.model"] = .string("spm")
        }
        try check("“qwen2” (tokenizer.ggml.pre) is a tokenizer without a known translation") {
            $0["tokenizer.ggml.pre"] = .string("qwen2")
        }
        try check(
            "the metadata “tokenizer.ggml.token_type” say 1, expected 24 integers"
        ) { $0["tokenizer.ggml.token_type"] = .integers([1]) }
        try check("the metadata “tokenizer.ggml.eos_token_id” say 99, expected less than 24") {
            $0["tokenizer.ggml.eos_token_id"] = .u32(99)
        }
        try check("tensor blk.1.ffn_down.weight is missing") { $0.tensors.removeLast() }
        try check("tensor blk.0.attn_q.bias does not belong to a supported Llama") {
            $0.tensors.append(
                GGUFBuilder.Tensor(
                    name: "blk.0.attn_q.bias", shape: [64], type: 0,
                    bytes: [UInt8](repeating: 0, count: 256)))
        }
        try check("tensor blk.0.attn_norm.weight has shape [32], expected [64]") {
            $0.tensors[2].shape = [32]
        }
        try check(
            "tensor token_embd.weight has type Q4_K, which has no lossless MLX form; Q4_0, Q4_1, "
                + "Q8_0, F16, BF16 and F32 matrices can be imported"
        ) { $0.tensors[0].type = 12 }
        try check("tensor token_embd.weight is missing") { $0.tensors.removeFirst() }
    }

    @Test func damagedBytesNameTheOffset() throws {
        let folder = try TemporaryFolder()
        let whole = TinyLlama(.q4_1).builder.bytes
        func problem(_ bytes: [UInt8]) throws -> String {
            let url = try folder.write("m.gguf", bytes)
            return message(in: folder) { try GGUFFile(path: url) }
        }
        #expect(
            try problem(Array("GGML".utf8))
                == "m.gguf: cannot be imported: it does not begin with “GGUF”.")
        #expect(
            try problem(Array(whole[0..<6]))
                == "m.gguf: cannot be imported: the file ends inside version at byte 4; "
                + "fetch it again.")
        var counts = whole
        counts.replaceSubrange(8..<16, with: littleEndian([UInt64.max]))
        #expect(
            try problem(counts)
                == "m.gguf: cannot be imported: tensor count at byte 8 is 18446744073709551615, "
                + "more than the file can hold.")
        var type = whole
        let key = "general.architecture"
        type.replaceSubrange(32 + key.count..<36 + key.count, with: littleEndian([UInt32(77)]))
        #expect(
            try problem(type)
                == "m.gguf: cannot be imported: the metadata “general.architecture” have the "
                + "unknown type 77.")
        let cut = Array(whole.dropLast(7))
        #expect(
            try problem(cut)
                == "m.gguf: cannot be imported: tensor blk.1.ffn_down.weight ends at byte "
                + "\(whole.count), the file at \(cut.count); it is truncated, so fetch it again.")
    }

    @Test func everyTruncationIsRefused() throws {
        let folder = try TemporaryFolder()
        let whole = TinyLlama(.q4_0).builder.bytes
        for count in stride(from: 0, to: whole.count, by: 97) {
            let url = try folder.write("m.gguf", Array(whole[0..<count]))
            #expect(throws: FormatError.self, "\(count) bytes") { try GGUFFile(path: url) }
        }
    }

    @Test(
        .enabled(
            if: Surroundings.chatGGUF != nil,
            "there is no GGUF file of smollm2-135m; make test-all brings it"))
    func theRealModelKeepsEveryValue() throws {
        let folder = try TemporaryFolder()
        let url = try #require(Surroundings.chatGGUF)
        try GGUFImporter.importModel(gguf: url, to: folder.file("m"))
        let gguf = try GGUFFile(path: url)
        let file = try SafetensorsFile(path: folder.file("m/model.safetensors"))
        for path in ["model.embed_tokens"]
            + [0, 17, 29].flatMap({ layer in
                AdapterTensorName.modules.map { "model.layers.\(layer).\($0)" }
            })
        {
            let source = TinyLlama.source(of: path)
            let tensor = try #require(gguf.tensor(source.name))
            let expected = unpermuted(
                dequantised(gguf, tensor), headDim: source.headDim.map { _ in 64 },
                rows: tensor.shape[0])
            #expect(try values(file, path) == expected, "\(path)")
        }
    }

    /// Values of a GGUF tensor by the definition of its blocks.
    private func dequantised(_ file: GGUFFile, _ tensor: GGUFTensor) -> [Float] {
        let bytes = Array(file.bytes(of: tensor))
        func half(_ offset: Int) -> Float {
            HalfPrecision.float(half: UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8)
        }
        var out: [Float] = []
        for start in stride(from: 0, to: bytes.count, by: tensor.type.blockByteCount) {
            let d = half(start)
            switch tensor.type {
            case .q8_0: out += (0..<32).map { d * Float(Int8(bitPattern: bytes[start + 2 + $0])) }
            case .q4_1:
                let m = half(start + 2)
                out += (0..<16).map { d * Float(bytes[start + 4 + $0] & 15) + m }
                out += (0..<16).map { d * Float(bytes[start + 4 + $0] >> 4) + m }
            default: Issue.record("unexpected type \(tensor.type)")
            }
        }
        return out
    }
}
