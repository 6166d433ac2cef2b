import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFormats
import CircadiaTraining

extension TrainingTests {
    /// The backward pass against mlx autograd, live.
    @Suite(.enabled(if: Surroundings.peersPython != nil, "CIRCADIA_PEERS_PYTHON is not set"))
    struct AutogradTests {
        @Test func blocksOfTheDefaultModelsShape() throws {
            let tiny = try TinyModel(
                changes: [
                    "hidden_size": .integer(576), "intermediate_size": .integer(1536),
                    "num_attention_heads": .integer(9), "num_key_value_heads": .integer(3),
                    "head_dim": .integer(64), "rope_theta": .integer(100_000),
                ])
            let adapter = tiny.adapter()
            try adapter.save(to: tiny.folder.file("adapter"))
            let rows = TinyModel.rows([70, 33, 5])
            let json = rows.map { row in
                "{\"ids\": \(row.ids), \"scored\": "
                    + "\(row.scored.map { [$0.lowerBound, $0.upperBound] })}"
            }
            try "[\(json.joined(separator: ","))]".write(
                to: tiny.folder.file("rows.json"), atomically: true, encoding: .utf8)
            let out = tiny.folder.file("gradients.safetensors")
            try Surroundings.python(
                Surroundings.fixture("mlx_gradients.py"),
                [
                    tiny.folder.url.path, tiny.folder.file("adapter").path,
                    tiny.folder.file("rows.json").path, out.path,
                ])
            let file = try SafetensorsFile(path: out)
            let trainer = try LoRATrainer(
                model: tiny.model, options: TinyModel.options, initial: adapter)
            let loss = try Double(#require(file.floats(of: "loss").first))
            let ours = try trainer.loss(rows: rows).mean
            #expect(abs(ours - loss) < 1e-4 * loss)
            for (layer, projection, da, db) in try trainer.gradients(rows: rows) {
                let path = projection.path(layer: layer)
                let a = relativeDistance(da, try file.floats(of: path + ".lora_a"))
                let b = relativeDistance(db, try file.floats(of: path + ".lora_b"))
                #expect(a < 1e-3, "\(path) a")
                #expect(b < 1e-3, "\(path) b")
            }
        }
    }
}
