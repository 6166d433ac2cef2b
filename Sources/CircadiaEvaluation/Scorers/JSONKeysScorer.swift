import Foundation

/// Passes a reply that holds a JSON object with certain keys.
///
/// Prose and code fences around it do not matter. The first braces that enclose a valid object
/// decide: a later, better one does not mend it.
package struct JSONKeysScorer: Scorer {
    /// The keys that the object must have at its top level; it may have more.
    package let keys: [String]

    /// Makes a scorer; `keys` is not empty.
    package init(keys: [String]) { self.keys = keys }

    /// Whether `reply` passes.
    package func passes(_ reply: String) -> Bool {
        guard let object = Self.firstObject(in: reply) else { return false }
        return keys.allSatisfy { object[$0] != nil }
    }

    static func firstObject(in reply: String) -> [String: Any]? {
        let bytes = Array(reply.utf8)
        for start in bytes.indices where bytes[start] == UInt8(ascii: "{") {
            guard let end = closingBrace(of: start, in: bytes) else { continue }
            let data = Data(bytes[start...end])
            if let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] {
                return object
            }
        }
        return nil
    }

    /// The brace that closes the one at `start`; braces within strings do not count.
    private static func closingBrace(of start: Int, in bytes: [UInt8]) -> Int? {
        var depth = 0
        var inString = false
        var escaped = false
        for index in start..<bytes.count {
            switch bytes[index] {
            case _ where escaped: escaped = false
            case UInt8(ascii: "\\") where inString: escaped = true
            case UInt8(ascii: "\""): inString.toggle()
            case UInt8(ascii: "{") where !inString: depth += 1
            case UInt8(ascii: "}") where !inString:
                depth -= 1
                if depth == 0 { return index }
            default: break
            }
        }
        return nil
    }
}
