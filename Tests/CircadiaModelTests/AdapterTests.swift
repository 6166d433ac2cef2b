import Foundation
import Testing

import CircadiaFormats
import CircadiaModel

extension ModelTests {
    @Suite struct AdapterTests {
        private func logits(_ model: AdaptedModel) -> [Float] {
            copy(
                model.forward(
                    TinyModel.tokens(50), cache: model.makeCache(capacity: 50), logits: .all))
        }

        @Test func aFreshAdapterChangesNothing() throws {
            let model = try TinyModel().load()
            let plain = logits(model)
            let adapter = LoRAAdapter(
                configuration: AdapterConfiguration(numLayers: 2), model: model.configuration,
                seed: 3)
            #expect(adapter.adaptedLayers == 1..<3)
            #expect(adapter.allPairs.count == 14)
            #expect(logits(model.with(adapter)) == plain)
        }

        @Test func theFirstFactorIsUniform() throws {
            let model = try TinyModel().load()
            let adapter = LoRAAdapter(
                configuration: AdapterConfiguration(), model: model.configuration, seed: 3)
            let pair = try #require(adapter[2, .down])
            #expect(pair.a.count == 128 * 8)
            #expect(pair.b.array.allSatisfy { $0 == 0 })
            let bound = 1 / Float(128).squareRoot()
            let values = pair.a.array
            #expect(values.allSatisfy { abs($0) <= bound })
            #expect((values.max() ?? 0) > 0.98 * bound)
            #expect(abs(values.reduce(0, +) / Float(values.count)) < bound / 15)
        }

        @Test func anAdapterEqualsMergedWeights() throws {
            let tiny = try TinyModel(bits: nil)
            let model = try tiny.load()
            let plain = logits(model)
            let adapter = LoRAAdapter.random(for: model.configuration, seed: 5)
            let adapted = logits(model.with(adapter))
            let merged = tiny.folder.file("merged")
            try mergeAdapter(adapter, into: tiny.folder.url, to: merged)
            let mergedModel = try AdaptedModel(try ModelDirectory(merged))
            #expect(relativeDifference(adapted, logits(mergedModel)) < 5e-5)
            #expect(relativeDifference(adapted, plain) > 0.05)
            #expect(logits(model) == plain)
        }

        @Test func theWayBetweenTwoAdaptersIsStraight() throws {
            let model = try TinyModel().load()
            let start = LoRAAdapter.random(for: model.configuration, seed: 5)
            let end = LoRAAdapter.random(for: model.configuration, seed: 6)
            let quarter = end.interpolated(from: start, share: 0.25)
            for (layer, projection, pair) in quarter.allPairs {
                let (from, to) = (start[layer, projection], end[layer, projection])
                for (mixed, first, second) in [
                    (pair.a, from?.a, to?.a), (pair.b, from?.b, to?.b),
                ] {
                    let (first, second) = (try #require(first), try #require(second))
                    #expect(
                        (0..<mixed.count).allSatisfy {
                            abs(mixed[$0] - (0.75 * first[$0] + 0.25 * second[$0])) < 1e-6
                        })
                }
            }
            // Nothing of it is the others' memory.
            let before = logits(model.with(start))
            quarter[2, .down]?.a[0] += 5
            #expect(logits(model.with(start)) == before)
            #expect(logits(model.with(end.interpolated(from: start, share: 0))) == before)
        }

        @Test func keysAndLayersLimitWhatIsAdapted() throws {
            let model = try TinyModel().load()
            let adapter = LoRAAdapter.random(
                for: model.configuration, numLayers: 1,
                keys: ["self_attn.q_proj", "mlp.down_proj"], seed: 6)
            #expect(adapter.allPairs.map(\.projection) == [.q, .down])
            #expect(adapter[2, .q] != nil)
            #expect(adapter[2, .k] == nil)
            #expect(adapter[1, .q] == nil)
        }

        @Test func savingAndLoadingKeepsEveryNumber() throws {
            let tiny = try TinyModel()
            let model = try tiny.load()
            let adapter = LoRAAdapter.random(for: model.configuration, numLayers: 2, seed: 8)
            let url = tiny.folder.file("adapter")
            try adapter.save(to: url)
            let loaded = try LoRAAdapter.load(from: url, for: model.configuration)
            #expect(loaded.rank == 4)
            #expect(loaded.scale == 2)
            #expect(loaded.allPairs.count == 14)
            for (layer, projection, pair) in adapter.allPairs {
                #expect(loaded[layer, projection]?.a.array == pair.a.array)
                #expect(loaded[layer, projection]?.b.array == pair.b.array)
            }
            #expect(logits(model.with(loaded)) == logits(model.with(adapter)))
        }

        @Test func aCopyHasItsOwnMemory() throws {
            let model = try TinyModel().load()
            let adapter = LoRAAdapter.random(for: model.configuration, seed: 8)
            let copy = adapter.copy()
            let pair = try #require(adapter[0, .q])
            let value = pair.a[0]
            pair.a[0] = 42
            #expect(copy[0, .q]?.a[0] == value)
            #expect(copy.parameterCount == adapter.parameterCount)
        }

        @Test func anAdapterOfAnotherModelIsRefused() throws {
            let tiny = try TinyModel()
            let other = try TinyModel(changes: ["intermediate_size": .integer(160)])
            let adapter = LoRAAdapter.random(for: other.directory.configuration, seed: 8)
            let url = tiny.folder.file("adapter")
            try adapter.save(to: url)
            let error = #expect(throws: FormatError.self) {
                try LoRAAdapter.load(from: url, for: tiny.directory.configuration)
            }
            let message = "\(try #require(error))"
            #expect(message.contains("model.layers.0.mlp.down_proj.lora_a"), "\(message)")
            #expect(message.contains("[128, 4]") && message.contains("[160, 4]"), "\(message)")
        }
    }
}
