import Crypto
import Foundation

/// SHA-256 of bytes that arrive in pieces.
package struct ContentDigest: Sendable {
    private var hash = SHA256()

    /// A digest of nothing yet.
    package init() {}

    /// Adds bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bufferPointer: bytes)
    }

    /// Adds the UTF-8 bytes of `text`.
    package mutating func update(utf8 text: String) {
        var text = text
        text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    /// The digest of everything added so far: 64 lower-case hexadecimal digits.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in hash.finalize() {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The digest of some bytes.
    ///
    /// - Returns: 64 lower-case hexadecimal digits.
    package static func hexadecimal(of bytes: UnsafeRawBufferPointer) -> String {
        var digest = ContentDigest()
        digest.update(bytes)
        return digest.hexadecimal
    }

    /// The digest of a file, read in pieces.
    ///
    /// - Parameter url: the file.
    /// - Returns: 64 lower-case hexadecimal digits.
    /// - Throws: `FileError.unreadable`.
    package static func hexadecimal(ofFile url: URL) throws(FileError) -> String {
        let file = try OpenFile(url, flags: O_RDONLY, failure: .read)
        var digest = ContentDigest()
        try file.forEachPiece { digest.update($0) }
        return digest.hexadecimal
    }
}
