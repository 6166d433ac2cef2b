import Foundation

import CircadiaFormats
import CircadiaModel

extension LoRAAdapter {
    /// An adapter of rank 4 whose `b` is not zero, so that it changes something.
    static func random(
        for model: ModelConfiguration, numLayers: Int = -1, keys: [String]? = nil, seed: UInt64
    ) -> LoRAAdapter {
        let parameters = AdapterConfiguration.LoRAParameters(rank: 4, scale: 2, keys: keys)
        let adapter = LoRAAdapter(
            configuration: AdapterConfiguration(numLayers: numLayers, loraParameters: parameters),
            model: model, seed: seed)
        var random = SeededGenerator(seed: seed &+ 1000)
        for (_, _, pair) in adapter.allPairs {
            for index in 0..<pair.b.count { pair.b[index] = Float(random.uniform() - 0.5) * 0.2 }
        }
        return adapter
    }
}

/// Rewrites a dense f32 model with an adapter's products added to its matrices.
func mergeAdapter(_ adapter: LoRAAdapter, into directory: URL, to target: URL) throws {
    let file = try SafetensorsFile(path: directory.appendingPathComponent("model.safetensors"))
    var merged: [String: [Float]] = [:]
    for (layer, projection, pair) in adapter.allPairs {
        let name = projection.path(layer: layer) + ".weight"
        var weight = try file.floats(of: name)
        for row in 0..<pair.outputs {
            for column in 0..<pair.inputs {
                var sum: Float = 0
                for r in 0..<adapter.rank {
                    sum += pair.a[column * adapter.rank + r] * pair.b[r * pair.outputs + row]
                }
                weight[row * pair.inputs + column] += adapter.scale * sum
            }
        }
        merged[name] = weight
    }
    try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
        at: directory.appendingPathComponent("config.json"),
        to: target.appendingPathComponent("config.json"))
    let tensors = try file.tensors.values.sorted { $0.name < $1.name }.map { entry in
        let values = try merged[entry.name] ?? file.floats(of: entry.name)
        return (
            name: entry.name, type: SafetensorsType.f32, shape: entry.shape,
            bytes: values.withUnsafeBytes { Array($0) }
        )
    }
    try SafetensorsWriter.write(tensors, to: target.appendingPathComponent("model.safetensors"))
}
