import CircadiaFiles
import Foundation

extension ModelDirectory {
    /// A digest that identifies a model independently of its path. It covers `config.json` and each
    /// tensor's name, shape, and first and last bytes.
    ///
    /// Weights that were trained further or quantised differently differ in the bytes of every
    /// tensor. A few bytes of each are therefore enough, and large models take no longer than small
    /// ones.
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

    /// The number of bytes at each end of a tensor that the digest covers.
    private static let sampledBytes = 64
}
