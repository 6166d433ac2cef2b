import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFormats
import CircadiaModel
import CircadiaTraining

extension TrainingTests {
    /// DoRA's gradients against mlx autograd and against torch with PEFT, live.
    @Suite(.enabled(if: Surroundings.peersPython != nil, "CIRCADIA_PEERS_PYTHON is not set"))
    struct DoRAPeerTests {
        private let tiny: TinyModel
        private let adapter: LoRAAdapter
        private let rows = TinyModel.rows([30, 19, 5])

        init() throws {
            tiny = try TinyModel()
            adapter = DoRATests.adapter(tiny)
            try adapter.save(to: tiny.folder.file("adapter"))
            let json = rows.map { row in
                "{\"ids\": \(row.ids), \"scored\": "
                    + "\(row.scored.map { [$0.lowerBound, $0.upperBound] })}"
            }
            try "[\(json.joined(separator: ","))]".write(
                to: tiny.folder.file("rows.json"), atomically: true, encoding: .utf8)
        }

        private func expectSame(as out: URL) throws {
            let file = try SafetensorsFile(path: out)
            let trainer = try LoRATrainer(
                model: tiny.model, options: DoRATests.options, initial: adapter)
            let loss = try Double(#require(file.floats(of: "loss").first))
            #expect(abs(try trainer.loss(rows: rows).mean - loss) < 1e-4 * loss)
            for (layer, projection, da, db) in try trainer.gradients(rows: rows) {
                let path = projection.path(layer: layer)
                let a = relativeDistance(da, try file.floats(of: path + ".lora_a"))
                let b = relativeDistance(db, try file.floats(of: path + ".lora_b"))
                #expect(a < 1e-3, "\(path) a")
                #expect(b < 1e-3, "\(path) b")
            }
            for (layer, projection, dm) in try trainer.magnitudeGradients(rows: rows) {
                let path = projection.path(layer: layer)
                let m = relativeDistance(dm, try file.floats(of: path + ".m"))
                #expect(m < 1e-3, "\(path) m")
            }
        }

        @Test func mlxAutograd() throws {
            let out = tiny.folder.file("gradients.safetensors")
            try Surroundings.python(
                Surroundings.fixture("mlx_gradients.py"),
                [
                    tiny.folder.url.path, tiny.folder.file("adapter").path,
                    tiny.folder.file("rows.json").path, out.path,
                ])
            try expectSame(as: out)
        }

        @Test(.enabled(if: Surroundings.hasPEFT, "the peers' Python has no torch with peft"))
        func torchAutograd() throws {
            let out = tiny.folder.file("gradients.safetensors")
            let base = tiny.folder.file("base")
            try FusedModel.write(
                try ModelDirectory(tiny.folder.url), adapter: nil, format: .f32, to: base)
            let (configuration, tensors) = try AdapterDirectory.load(
                tiny.folder.file("adapter"))
            let exported = tiny.folder.file("peft")
            try PEFTAdapter.write(configuration, tensors, baseModel: "tiny", to: exported)
            try Surroundings.python(
                Surroundings.fixture("peft_gradients.py"),
                [base.path, exported.path, tiny.folder.file("rows.json").path, out.path])
            try expectSame(as: out)
        }
    }
}
