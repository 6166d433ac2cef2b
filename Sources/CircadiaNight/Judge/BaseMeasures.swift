import CircadiaEvaluation
import CircadiaFiles
import CircadiaKernels
import Foundation

/// The base model's figures, which change only with the model, the material and the program.
package struct BaseMeasures: Codable {
    /// A digest of everything that the figures depend on.
    package let key: String
    /// Replies to everyday questions.
    package let replies: ReplyProbe
    /// Ids of the harness's tasks that the base model passes.
    package let passed: [String]

    /// The key for a model and a gate's material.
    package static func key(of model: NightModel, material: GateMaterial) -> String {
        let parts = [
            model.fingerprint, KernelRuntime.isa, model.base.precision.rawValue,
            CodeVersion.release,
            material.digest,
        ]
        return Array(parts.joined(separator: "\n").utf8).withUnsafeBytes {
            ContentDigest.hexadecimal(of: $0)
        }
    }

    /// Reads the figures from a file; nil if they belong to another model or other material.
    package static func read(_ url: URL, key: String) -> BaseMeasures? {
        guard let data = try? Data(contentsOf: url),
            let known = try? JSONDecoder().decode(BaseMeasures.self, from: data), known.key == key
        else { return nil }
        return known
    }

    /// Writes the figures. They only save time, so a failure is ignored.
    package func write(to url: URL) {
        guard let data = try? JSONEncoder().encode(self) else { return }
        try? DurableFile.replace(url, with: Array(data))
    }
}
