import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFormats
import CircadiaKernels
import CircadiaModel

extension ModelTests {
    /// What adapters compute in mlx_lm, PEFT and llama.cpp, theirs here and this program's there.
    struct AdapterExchangeTests {
        private static let count = 24

        private func logits(
            _ model: AdaptedModel, _ tokens: [Int32], _ adapter: LoRAAdapter?
        ) -> [Float] {
            copy(
                model.with(adapter).forward(
                    tokens, cache: model.makeCache(capacity: tokens.count), logits: .all))
        }

        private func numbers(_ lines: some Sequence<Substring>) throws -> [Float] {
            try lines.flatMap { try JSONDecoder().decode([Float].self, from: Data($0.utf8)) }
        }

        private func list(_ tokens: [Int32]) -> String {
            tokens.map(String.init).joined(separator: ",")
        }

        /// Writes an adapter for a peer and checks that it computes what the peer says.
        private func expectSame(
            _ found: [Float], _ expected: [Float], unlike plain: [Float],
            within tolerance: Float = 1e-4, _ name: String
        ) {
            let difference = relativeDifference(found, expected)
            #expect(difference < tolerance, "\(name): \(difference)")
            // An adapter that did nothing would be the same everywhere too.
            #expect(relativeDifference(found, plain) > 30 * tolerance, "\(name) does nothing")
        }

        private func bothKinds(_ model: AdaptedModel) -> [(String, LoRAAdapter)] {
            [
                ("lora", LoRAAdapter.random(for: model.configuration, numLayers: 2, seed: 8)),
                ("dora", doraAdapter(model)),
            ]
        }

        private func doraAdapter(_ model: AdaptedModel) -> LoRAAdapter {
            let parameters = AdapterConfiguration.LoRAParameters(rank: 4, scale: 2)
            let adapter = LoRAAdapter(
                configuration: AdapterConfiguration(
                    kind: .dora, numLayers: 2, loraParameters: parameters),
                model: model.configuration, seed: 8)
            adapter.refresh(layers: model.weights.layers, workspace: Workspace())
            var random = SeededGenerator(seed: 9)
            for (_, _, pair) in adapter.allPairs {
                for index in 0..<pair.b.count {
                    pair.b[index] = Float(random.uniform() - 0.5) * 0.2
                }
                guard let values = pair.magnitude?.values else { continue }
                for index in 0..<values.count {
                    values[index] *= Float(0.8 + 0.4 * random.uniform())
                }
            }
            return adapter
        }

        /// A base model that transformers reads, with the numbers of the quantised one.
        private func dequantized(_ tiny: TinyModel) throws -> URL {
            let url = tiny.folder.file("base")
            try FusedModel.write(tiny.directory, adapter: nil, format: .f32, to: url)
            return url
        }

        @Test func fusedWeightsComputeTheSame() throws {
            let tiny = try TinyModel()
            let model = try tiny.load()
            let tokens = TinyModel.tokens(Self.count)
            let plain = logits(model, tokens, nil)
            for (name, adapter) in bothKinds(model) {
                let adapted = logits(model, tokens, adapter)
                for (format, tolerance) in [(SafetensorsType.f32, Float(1e-5)), (.f16, 2e-3)] {
                    let url = tiny.folder.file("fused-\(name)-\(format.rawValue)")
                    try FusedModel.write(
                        tiny.directory, adapter: adapter, format: format, to: url)
                    let fused = try AdaptedModel(try ModelDirectory(url))
                    #expect(fused.configuration.quantization == nil)
                    expectSame(
                        logits(fused, tokens, nil), adapted, unlike: plain, within: tolerance,
                        "\(name) \(format.rawValue)")
                }
            }
        }

        @Test(.enabled(if: Surroundings.peersPython != nil, "CIRCADIA_PEERS_PYTHON is not set"))
        func mlxComputesTheSame() throws {
            let tiny = try TinyModel()
            let model = try tiny.load()
            let tokens = TinyModel.tokens(Self.count)
            let plain = logits(model, tokens, nil)
            for (name, adapter) in bothKinds(model) {
                let url = tiny.folder.file(name)
                try adapter.save(to: url)
                let theirs = try numbers(
                    Surroundings.python(
                        Surroundings.fixture("mlx_logits.py"),
                        [tiny.folder.url.path, list(tokens), url.path]))
                expectSame(logits(model, tokens, adapter), theirs, unlike: plain, name)
                let fused = tiny.folder.file("fused-\(name)")
                try FusedModel.write(tiny.directory, adapter: adapter, to: fused)
                let fusedTheirs = try numbers(
                    Surroundings.python(
                        Surroundings.fixture("mlx_logits.py"), [fused.path, list(tokens)]))
                expectSame(
                    logits(model, tokens, adapter), fusedTheirs, unlike: plain, within: 2e-3,
                    "\(name) fused")
            }
        }

        @Test(.enabled(if: Surroundings.peersPython != nil, "CIRCADIA_PEERS_PYTHON is not set"))
        func mlxAdaptersComputeTheSameHere() throws {
            let tiny = try TinyModel()
            let model = try tiny.load()
            let tokens = TinyModel.tokens(Self.count)
            let plain = logits(model, tokens, nil)
            for kind in ["lora", "dora"] {
                let url = tiny.folder.file("theirs-\(kind)")
                let lines = try Surroundings.python(
                    Surroundings.fixture("mlx_adapter.py"),
                    [tiny.folder.url.path, list(tokens), url.path, kind])
                let start = try #require(lines.lastIndex(of: "logits"))
                let adapter = try LoRAAdapter.load(from: url, for: model.configuration)
                #expect(adapter.isDoRA == (kind == "dora"))
                expectSame(
                    logits(model, tokens, adapter), try numbers(lines[(start + 1)...]),
                    unlike: plain, kind)
            }
        }

        @Test(.enabled(if: Surroundings.hasPEFT, "the peers' Python has no torch with peft"))
        func peftComputesTheSame() throws {
            let tiny = try TinyModel()
            let model = try tiny.load()
            let base = try dequantized(tiny)
            let tokens = TinyModel.tokens(Self.count)
            let plain = logits(model, tokens, nil)
            for (name, adapter) in [
                ("lora", LoRAAdapter.random(for: model.configuration, numLayers: 2, seed: 8)),
                (
                    "keys",
                    LoRAAdapter.random(
                        for: model.configuration, keys: ["self_attn.v_proj", "mlp.up_proj"],
                        seed: 8)
                ),
                ("dora", doraAdapter(model)),
            ] {
                let url = tiny.folder.file(name)
                try adapter.save(to: url)
                let (configuration, tensors) = try AdapterDirectory.load(url)
                let exported = tiny.folder.file("peft-\(name)")
                try PEFTAdapter.write(configuration, tensors, baseModel: "tiny", to: exported)
                let theirs = try numbers(
                    Surroundings.python(
                        Surroundings.fixture("peft_logits.py"),
                        [base.path, list(tokens), exported.path]))
                expectSame(logits(model, tokens, adapter), theirs, unlike: plain, name)
            }
        }

        @Test(
            .enabled(if: Surroundings.hasPEFT, "the peers' Python has no torch with peft"),
            arguments: ["plain", "patterns", "rslora", "dora"])
        func peftAdaptersComputeTheSameHere(kind: String) throws {
            let tiny = try TinyModel()
            let model = try tiny.load()
            let base = try dequantized(tiny)
            let tokens = TinyModel.tokens(Self.count)
            let plain = logits(model, tokens, nil)
            let url = tiny.folder.file("theirs")
            let theirs = try numbers(
                Surroundings.python(
                    Surroundings.fixture("peft_logits.py"),
                    [base.path, list(tokens), url.path, kind]))
            let (configuration, tensors) = try AdapterFormat.read(url, for: model.configuration)
            let imported = tiny.folder.file("imported")
            try AdapterDirectory.save(configuration, tensors, to: imported)
            let adapter = try LoRAAdapter.load(from: imported, for: model.configuration)
            expectSame(logits(model, tokens, adapter), theirs, unlike: plain, kind)
        }

        /// The real model under both: whole shape, f16 scales, 30 blocks.
        @Test(
            .enabled(
                if: Surroundings.hasPEFT && Surroundings.chatModel != nil,
                "smollm2-135m or torch with peft is missing"))
        func theDefaultModelComputesTheSame() throws {
            let folder = try TemporaryFolder()
            let directory = try ModelDirectory(try #require(Surroundings.chatModel))
            let model = try AdaptedModel(directory)
            let tokens = TinyModel.tokens(16, below: 49152)
            let plain = logits(model, tokens, nil)
            let adapter = LoRAAdapter.random(
                for: model.configuration, numLayers: 16, seed: 8)
            let ours = logits(model, tokens, adapter)
            try adapter.save(to: folder.file("mlx"))
            let (configuration, tensors) = try AdapterDirectory.load(folder.file("mlx"))
            // Products with 4-bit weights take mlx a minute on a CPU; these are the same numbers.
            try FusedModel.write(
                directory, adapter: nil, format: .f32, to: folder.file("base"))
            let mlx = try numbers(
                Surroundings.python(
                    Surroundings.fixture("mlx_logits.py"),
                    [folder.file("base").path, list(tokens), folder.file("mlx").path]))
            expectSame(ours, mlx, unlike: plain, "mlx_lm")
            try PEFTAdapter.write(
                configuration, tensors, baseModel: "smollm2-135m", to: folder.file("peft"))
            let peft = try numbers(
                Surroundings.python(
                    Surroundings.fixture("peft_logits.py"),
                    [folder.file("base").path, list(tokens), folder.file("peft").path]))
            expectSame(ours, peft, unlike: plain, "peft")
        }

        /// llama.cpp rounds activations to 8 bits, so its logits are near, not the same: 0.041 to
        /// 0.064 off with this adapter made up to 8 times as large, against 0.66 that it changes.
        @Test(
            .enabled(
                if: Surroundings.llamaPython != nil && Surroundings.chatModel != nil
                    && Surroundings.chatGGUF != nil,
                "llama.cpp, the default model or its GGUF is missing; make test-all brings them"))
        func llamaComputesTheSame() throws {
            let folder = try TemporaryFolder()
            let directory = try ModelDirectory(try #require(Surroundings.chatModel))
            let gguf = try #require(Surroundings.chatGGUF)
            let model = try AdaptedModel(directory)
            let tokens: [Int32] = [504, 3575, 282, 4649, 314, 260, 2240, 282]
            let adapter = LoRAAdapter.random(
                for: model.configuration, numLayers: 16, seed: 8)
            for (_, _, pair) in adapter.allPairs {
                for index in 0..<pair.b.count { pair.b[index] *= 8 }
            }
            let plain = logits(model, tokens, nil)
            let ours = logits(model, tokens, adapter)
            try adapter.save(to: folder.file("mlx"))
            let (configuration, tensors) = try AdapterDirectory.load(folder.file("mlx"))
            try GGUFAdapter.write(
                configuration, tensors, for: model.configuration, to: folder.file("a.gguf"))
            let lines = try Surroundings.python(
                Surroundings.fixture("llama_logits.py"),
                [gguf.path, list(tokens), folder.file("a.gguf").path, "16"],
                interpreter: Surroundings.llamaPython)
            let difference = relativeDifference(ours, try numbers(lines.dropFirst()))
            #expect(difference < 0.07, "\(difference)")
            let effect = relativeDifference(ours, plain)
            #expect(effect > 8 * 0.07, "the adapter changes \(effect)")
            let theirs = try JSONDecoder().decode([Int32].self, from: Data(lines[0].utf8))
            let adapted = model.with(adapter)
            let cache = model.makeCache(capacity: 32)
            var next = tokens
            var continuation: [Int32] = []
            for _ in theirs {
                let last = copy(adapted.forward(next, cache: cache, logits: .last))
                next = [Int32(last.indices.max { last[$0] < last[$1] } ?? 0)]
                continuation += next
            }
            #expect(continuation == theirs)
        }
    }
}
