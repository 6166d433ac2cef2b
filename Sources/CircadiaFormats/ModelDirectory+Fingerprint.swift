import CircadiaFiles
import Foundation

extension ModelDirectory {
    /// A digest that tells models apart wherever they lie: of `config.json` and, of every tensor,
    /// name, shape and its first and last bytes.
    ///
    /// Weights that were trained on or quantised differently differ in every tensor's bytes, so a few
    /// of each are enough, and a model of gigabytes takes no longer than a small one.
    ///
    /// - Throws: `FileError.unreadable`.
    package func fingerprint() throws -> String {
        let config = try MappedFile(url.appendingPathComponent("config.json"))
        var bytes = config.withBytes { Array($0) }
        for name in tensorNames.sorted() {
            guard let (file, entry) = tensor(name) else { continue }
            bytes += Array("\n\(name) \(entry.type.rawValue) \(entry.shape) ".utf8)
            try file.withBytes(of: name) { (content) throws(FormatError) in
                bytes += content.prefix(Self.sampledBytes)
                bytes += content.suffix(Self.sampledBytes)
            }
        }
        return bytes.withUnsafeBytes { ContentDigest.hexadecimal(of: $0) }
    }

    /// Bytes at each end of a tensor that go into the digest.
    private static let sampledBytes = 64
}
