import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFormats

/// What mlx_lm and transformers make of the files that this module writes.
@Suite(.enabled(if: Surroundings.peersPython != nil, "CIRCADIA_PEERS_PYTHON is not set"))
struct PeersTests {
    @Test func mlxLoadsAnImportedModelAndAnAdapter() throws {
        let folder = try TemporaryFolder()
        let gguf = try folder.write("m.gguf", TinyLlama(.q4_1, seed: 3).builder.bytes)
        try GGUFImporter.importModel(gguf: gguf, to: folder.file("m"))
        let model = try ModelConfiguration(directory: folder.file("m"))
        var generator = SplitMix64(seed: 5)
        var tensors: [String: AdapterTensor] = [:]
        for module in AdapterTensorName.modules {
            let columns = module == "mlp.down_proj" ? 96 : 64
            let rows =
                module.contains("k_proj") || module.contains("v_proj")
                ? 32 : module.contains("gate") || module.contains("up") ? 96 : 64
            for (factor, shape) in [
                (AdapterTensorName.Factor.a, [columns, 4]), (.b, [4, rows]),
            ] {
                let name = AdapterTensorName(layer: 1, module: module, factor: factor)
                tensors[name.fullName] = AdapterTensor(
                    shape: shape,
                    values: (0..<shape[0] * shape[1]).map { _ in
                        Float.random(in: -0.1...0.1, using: &generator)
                    })
            }
        }
        try AdapterDirectory.save(
            AdapterConfiguration(
                numLayers: 1, loraParameters: .init(rank: 4, scale: 3),
                otherMembers: ["circadia": .object(["night": .integer(1)])]),
            tensors, for: model, to: folder.file("adapter"))
        let script = """
            import sys
            import mlx.core as mx
            from mlx_lm.utils import load_model, load_adapters
            from pathlib import Path
            from tokenizers import Tokenizer
            from transformers import AutoTokenizer
            root = Path(sys.argv[1])
            model, config = load_model(root / "m")
            ids = mx.array([[2, 3, 4, 5]])
            before = model(ids)
            load_adapters(model, str(root / "adapter"))
            after = model(ids)
            assert mx.all(mx.isfinite(after)).item()
            assert mx.abs(after - before).max().item() > 1e-3
            print(type(model.model.layers[1].mlp.up_proj).__name__)
            print(type(model.model.layers[0].mlp.up_proj).__name__)
            print(Tokenizer.from_file(str(root / "m/tokenizer.json")).encode("abcb<|end|>").ids)
            tokenizer = AutoTokenizer.from_pretrained(str(root / "m"))
            print(tokenizer.eos_token, tokenizer.apply_chat_template(
                [{"role": "user", "content": "x"}], tokenize=False))
            """
        let output = try Surroundings.python(script, [folder.url.path])
        #expect(
            output.split(separator: "\n") == [
                "LoRALinear", "QuantizedLinear", "[23, 3, 0]",
                "<|end|> [{'role': 'user', 'content': 'x'}]",
            ])
    }

    /// A whole random model in shards, and its dequantised values.
    @Test func mlxReadsRandomModels() throws {
        let folder = try TemporaryFolder()
        var options = RandomModel.Options()
        options.shardByteLimit = 20_000
        try RandomModel.write(
            configuration: .object(ModelDirectoryTests.tiny), to: folder.url, options: options)
        let script = """
            import sys
            import mlx.core as mx
            from mlx_lm.utils import load_model
            from pathlib import Path
            model, config = load_model(Path(sys.argv[1]))
            logits = model(mx.array([[1, 2, 3, 4, 5]]))
            assert mx.all(mx.isfinite(logits)).item()
            deviation = mx.std(logits.astype(mx.float32)).item()
            assert 0.1 < deviation < 10, deviation
            layer = model.model.layers[1].mlp.up_proj
            scales, biases = (t.astype(mx.float32) for t in (layer.scales, layer.biases))
            w = mx.dequantize(layer.weight, scales, biases, 64, 4)
            mx.save_safetensors(sys.argv[1] + "/w.safetensors", {"w": w})
            """
        _ = try Surroundings.python(script, [folder.url.path])
        let expected = try SafetensorsFile(path: folder.file("w.safetensors")).floats(of: "w")
        let directory = try ModelDirectory(folder.url, usesPackCache: false)
        let matrix = try directory.weightMatrix(
            "model.layers.1.mlp.up_proj", rows: 192, columns: 128)
        #expect(FloatBufferReader.rows(matrix) == expected)
    }
}
