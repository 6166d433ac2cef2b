import CircadiaEvaluation
import CircadiaFiles
import CircadiaKernels
import Foundation

/// The base model's figures, which change only with the model, the material and the program.
struct BaseMeasures: Codable {
    /// Names all that the figures follow from.
    let key: String
    /// Replies to everyday questions.
    let replies: ReplyProbe
    /// Ids of the harness's tasks that it passes.
    let passed: [String]

    /// The key of a model's figures with some material.
    static func key(of model: NightModel, material: GateMaterial) -> String {
        let parts = [
            model.fingerprint, KernelRuntime.isa, model.base.precision.rawValue, CodeVersion.release,
            material.digest,
        ]
        return Array(parts.joined(separator: "\n").utf8).withUnsafeBytes {
            ContentDigest.hexadecimal(of: $0)
        }
    }

    /// The figures in a file; nil where they are of another model or material.
    static func read(_ url: URL, key: String) -> BaseMeasures? {
        guard let data = try? Data(contentsOf: url),
            let known = try? JSONDecoder().decode(BaseMeasures.self, from: data), known.key == key
        else { return nil }
        return known
    }

    /// Keeps the figures. They only save time, so a failure is passed over.
    func write(to url: URL) {
        guard let data = try? JSONEncoder().encode(self) else { return }
        try? DurableFile.replace(url, with: Array(data))
    }
}
