import CircadiaFiles
import CircadiaKernels
import Foundation

extension LoRATrainer {
    /// A digest of all that a checkpoint's numbers follow from: rows and held-out rows, options, the
    /// adapter's shape, and the instruction set, whose sums are added in another order on another one.
    func fingerprint(rows: [PreparedRow], heldOut: [PreparedRow]) -> String {
        var text = "\(options)\n\(KernelRuntime.isa)\n\(adapter.configuration.json.text())\n"
        text += "\(model.configuration.layerCount) \(adapter.parameterCount)\n"
        var words = Array(text.utf8).map { Int32($0) }
        for set in [rows, heldOut] {
            words.append(-1)
            for row in set {
                words += [-2, Int32(row.length)]
                words += [row.weight, row.pull].map { Int32(bitPattern: $0.bitPattern) }
                words += row.ids
                words.append(-3)
                words += row.targets.map { Int32($0) }
                words.append(-4)
                words += row.held.map { Int32($0) }
            }
        }
        return words.withUnsafeBytes { SHA256Digest.hexadecimal(of: $0) }
    }
}
