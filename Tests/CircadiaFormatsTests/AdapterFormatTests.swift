import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFiles
import CircadiaFormats
import CircadiaKernels

/// Adapters as PEFT and llama.cpp store them. That the peers compute the same with them is checked
/// in AdapterExchangeTests; here it is names, layouts, scales and what is refused.
@Suite struct AdapterFormatTests {
    private let folder: TemporaryFolder
    private let model: ModelConfiguration
    private let configuration = AdapterConfiguration(
        numLayers: 1, loraParameters: .init(rank: 4, scale: 2.5))

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelConfiguration(json: .object(ModelDirectoryTests.tiny), path: "config.json")
    }

    /// Every module of the last block with numbers that tell their places.
    private func tensors(isDoRA: Bool = false) -> [String: AdapterTensor] {
        var tensors: [String: AdapterTensor] = [:]
        for module in AdapterTensorName.modules {
            guard let (inputs, outputs) = AdapterTensorName.widths(of: module, in: model) else {
                continue
            }
            func put(_ factor: AdapterTensorName.Factor, _ shape: [Int]) {
                let name = AdapterTensorName(layer: 1, module: module, factor: factor)
                tensors[name.fullName] = AdapterTensor(
                    shape: shape, values: (0..<shape.reduce(1, *)).map { Float($0) / 64 })
            }
            put(.a, [inputs, 4])
            put(.b, [4, outputs])
            if isDoRA { put(.magnitude, [outputs]) }
        }
        return tensors
    }

    @Test func peftAndBack() throws {
        for isDoRA in [false, true] {
            var configuration = configuration
            configuration.kind = isDoRA ? .dora : .lora
            let url = folder.file("peft-\(isDoRA)")
            let tensors = tensors(isDoRA: isDoRA)
            try PEFTAdapter.write(configuration, tensors, baseModel: "m", to: url)
            #expect(try AdapterFormat.detect(at: url) == .peft)
            let (back, values) = try AdapterFormat.read(url, for: model)
            #expect(values == tensors)
            #expect(back.kind == configuration.kind)
            #expect(back.numLayers == 1)
            #expect(back.loraParameters == configuration.loraParameters)
        }
    }

    @Test func peftStoresTransposes() throws {
        let url = folder.file("peft")
        try PEFTAdapter.write(configuration, tensors(), baseModel: "m", to: url)
        let file = try SafetensorsFile(
            path: url.appendingPathComponent("adapter_model.safetensors"))
        let name = "base_model.model.model.layers.1.self_attn.k_proj."
        #expect(file.tensors[name + "lora_A.weight"]?.shape == [4, 128])
        #expect(file.tensors[name + "lora_B.weight"]?.shape == [64, 4])
        let values = try file.floats(of: name + "lora_A.weight")
        // Row 1, column 3 is row 3, column 1 of MLX's factor.
        #expect(values[128 + 3] == Float(3 * 4 + 1) / 64)
        let json = try JSONValue(contentsOf: url.appendingPathComponent("adapter_config.json"))
        #expect(json["r"] == .integer(4))
        #expect(json["lora_alpha"] == .integer(10))
        #expect(json["layers_to_transform"] == .array([.integer(1)]))
        #expect(json["use_dora"] == .bool(false))
    }

    @Test func anIrregularAdapterNamesEveryModule() throws {
        var some = tensors()
        for key in ["lora_a", "lora_b"] {
            some["model.layers.0.mlp.up_proj.\(key)"] = some["model.layers.1.mlp.up_proj.\(key)"]
        }
        var configuration = configuration
        configuration.numLayers = 2
        let url = folder.file("peft")
        try PEFTAdapter.write(configuration, some, baseModel: "m", to: url)
        let json = try JSONValue(contentsOf: url.appendingPathComponent("adapter_config.json"))
        #expect(json["layers_to_transform"] == .null)
        #expect(
            json["target_modules"]?.arrayValue?.first == .string("model.layers.0.mlp.up_proj"))
        #expect(try AdapterFormat.read(url, for: model).1 == some)
    }

    @Test func ranksAndScalesOfTheirOwnBecomeOne() throws {
        let url = folder.file("peft")
        try PEFTAdapter.write(
            AdapterConfiguration(
                numLayers: 1,
                loraParameters: .init(
                    rank: 4, scale: 2.5, keys: ["self_attn.q_proj", "self_attn.v_proj"])),
            tensors().filter { $0.key.contains("q_proj") || $0.key.contains("v_proj") },
            baseModel: "m", to: url)
        let config = url.appendingPathComponent("adapter_config.json")
        var json = try #require(try JSONValue(contentsOf: config).objectValue)
        json["r"] = .integer(16)
        json["lora_alpha"] = .integer(16)
        json["use_rslora"] = .bool(true)
        json["rank_pattern"] = .object(["layers.1.self_attn.[qv]_proj": .integer(4)])
        json["alpha_pattern"] = .object(["v_proj": .number(4)])
        try Data(JSONValue.object(json).text().utf8).write(to: config)
        let (back, values) = try AdapterFormat.read(url, for: model)
        // q: 16/√4; v: 4/√4, a quarter of it, which moved into B.
        #expect(back.loraParameters.scale == 8)
        #expect(back.loraParameters.rank == 4)
        let q = "model.layers.1.self_attn.q_proj.lora_b"
        let v = "model.layers.1.self_attn.v_proj.lora_b"
        #expect(values[q] == tensors()[q])
        #expect(values[v]?.values == tensors()[v]?.values.map { $0 / 4 })
    }

    @Test func ggufAndBack() throws {
        let url = folder.file("a.gguf")
        try GGUFAdapter.write(configuration, tensors(), for: model, to: url)
        #expect(try AdapterFormat.detect(at: url) == .gguf)
        let (back, values) = try AdapterFormat.read(url, for: model)
        #expect(values == tensors())
        #expect(back.loraParameters == configuration.loraParameters)
        let file = try GGUFFile(path: url)
        #expect(file.metadata["general.type"]?.stringValue == "adapter")
        #expect(file.metadata["adapter.lora.alpha"]?.doubleValue == 10)
        let b = try #require(file.tensor("blk.1.attn_q.weight.lora_b"))
        #expect(b.shape == [128, 4])
        // Half-split row headDim/2 is the second of llama.cpp's interleaved ones.
        let bytes = file.bytes(of: b)
        let found = bytes.loadUnaligned(fromByteOffset: 4 * 4, as: Float.self)
        #expect(found == Float(model.headDim / 2) / 64)
    }

    @Test func anotherFormatsFilesDoNotStay() throws {
        let url = folder.file("a")
        try AdapterDirectory.save(configuration, tensors(), to: url)
        try folder.write("a/notes.txt", text: "mine")
        try PEFTAdapter.write(configuration, tensors(), baseModel: "m", to: url)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() == [
                "adapter_config.json", "adapter_model.safetensors", "notes.txt",
            ])
    }

    @Test func whatHasNoCounterpartIsRefused() throws {
        func check(_ expected: String, _ body: () throws -> Void) {
            #expect(message(in: folder, body) == expected)
        }
        let url = folder.file("p")
        try PEFTAdapter.write(configuration, tensors(), baseModel: "m", to: url)
        let config = url.appendingPathComponent("adapter_config.json")
        let json = try #require(try JSONValue(contentsOf: config).objectValue)
        func change(_ key: String, _ value: JSONValue?) throws {
            var changed = json
            changed[key] = value
            try Data(JSONValue.object(changed).text().utf8).write(to: config)
        }
        let refusal =
            "has no counterpart here, and without it the adapter would compute something else; "
            + "merge it in PEFT (merge_and_unload) and import the model."
        try change("bias", .string("all"))
        check("p/adapter_config.json: not a usable adapter: “bias”: \"all\" " + refusal) {
            _ = try AdapterFormat.read(url, for: model)
        }
        try change("peft_type", .string("IA3"))
        check("p/adapter_config.json: not a usable adapter: “peft_type”: \"IA3\" " + refusal) {
            _ = try AdapterFormat.read(url, for: model)
        }
        try change("r", .integer(8))
        check(
            "p/adapter_model.safetensors: not a usable adapter: tensor "
                + "base_model.model.model.layers.1.mlp.down_proj.lora_A has shape [4, 192], expected "
                + "[8, 192]; the adapter may belong to another model."
        ) { _ = try AdapterFormat.read(url, for: model) }
        try change("r", nil)
        check("p/adapter_config.json: “r” is missing.") {
            _ = try AdapterFormat.read(url, for: model)
        }
        try FileManager.default.createDirectory(
            at: folder.file("old"), withIntermediateDirectories: true)
        try folder.write("old/adapter_model.bin", [0])
        check(
            "old: not a usable adapter: adapter_model.bin is a Python pickle, which can run code when "
                + "it is read; save the adapter with save_pretrained(…, safe_serialization=True) and "
                + "import that."
        ) { _ = try AdapterFormat.detect(at: folder.file("old")) }
        var dora = configuration
        dora.kind = .dora
        check(
            "d.gguf: not a usable adapter: GGUF adapters cannot hold DoRA."
        ) { try GGUFAdapter.write(dora, tensors(), for: model, to: folder.file("d.gguf")) }
        try folder.write("m.gguf", TinyLlama(.q4_1, seed: 3).builder.bytes)
        check(
            "m.gguf: not a usable adapter: the file holds a model, not a LoRA adapter."
        ) { _ = try AdapterFormat.read(folder.file("m.gguf"), for: model) }
    }

    @Test func theSummaryCountsAndMeasures() throws {
        let summary = AdapterSummary(
            format: .mlx, configuration: configuration,
            tensors: [
                "model.layers.1.self_attn.k_proj.lora_a": AdapterTensor(
                    shape: [3, 2], values: [1, 0, 0, 2, 0, 0]),
                "model.layers.1.self_attn.k_proj.lora_b": AdapterTensor(
                    shape: [2, 2], values: [3, 0, 0, 1]),
            ])
        #expect(summary.layers == [1])
        #expect(summary.keys == ["self_attn.k_proj"])
        #expect(summary.parameters == 10)
        #expect(summary.alpha == 10)
        // A·B = [[3, 0], [0, 2], [0, 0]].
        #expect(abs(summary.normDelta - 2.5 * 13.0.squareRoot()) < 1e-12)
    }
}
