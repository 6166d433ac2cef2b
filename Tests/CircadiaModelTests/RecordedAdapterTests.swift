import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFormats
import CircadiaModel

extension ModelTests {
    /// Adapters that mlx_lm and PEFT wrote, and the logits under them there, recorded by
    /// `Fixtures/record_adapters.py` over a tiny model of mlx's own.
    struct RecordedAdapterTests {
        private let folder = Surroundings.fixture("theirs")
        private let recorded: SafetensorsFile
        private let model: AdaptedModel

        init() throws {
            recorded = try SafetensorsFile(
                path: folder.appendingPathComponent("logits.safetensors"))
            model = try AdaptedModel(
                try ModelDirectory(folder.appendingPathComponent("model")))
        }

        private static let ids: [Int32] = [7, 41, 3, 60, 12, 33, 25]

        private func logits(_ adapter: LoRAAdapter?) -> [Float] {
            copy(
                model.with(adapter).forward(
                    Self.ids, cache: model.makeCache(capacity: Self.ids.count), logits: .all))
        }

        @Test func theModelAlone() throws {
            let theirs = try recorded.floats(of: "plain")
            #expect(theirs.count == Self.ids.count * 64)
            let difference = relativeDifference(logits(nil), theirs)
            #expect(difference < 1e-4, "\(difference)")
        }

        @Test(arguments: ["mlx-lora", "mlx-dora", "peft-lora", "peft-dora"])
        func theirsComputesTheSameHere(name: String) throws {
            let url = folder.appendingPathComponent(name)
            let format = try AdapterFormat.detect(at: url)
            #expect(format == (name.hasPrefix("mlx") ? .mlx : .peft))
            let (configuration, tensors) = try AdapterFormat.read(url, for: model.configuration)
            // As `adapter import` keeps it.
            let imported = try TemporaryFolder()
            try AdapterDirectory.save(
                configuration, tensors, for: model.configuration, to: imported.file("adapter"))
            let adapter = try LoRAAdapter.load(
                from: imported.file("adapter"), for: model.configuration)
            #expect(adapter.isDoRA == name.hasSuffix("dora"))
            let difference = relativeDifference(
                logits(adapter), try recorded.floats(of: name))
            #expect(difference < 1e-4, "\(difference)")
            let change = relativeDifference(logits(adapter), logits(nil))
            #expect(change > 0.03, "the adapter changes only \(change)")
        }

        /// mlx_lm's folders load as they are, too.
        @Test(arguments: ["mlx-lora", "mlx-dora"])
        func withoutImport(name: String) throws {
            let adapter = try LoRAAdapter.load(
                from: folder.appendingPathComponent(name), for: model.configuration)
            let difference = relativeDifference(
                logits(adapter), try recorded.floats(of: name))
            #expect(difference < 1e-4, "\(difference)")
        }
    }
}
