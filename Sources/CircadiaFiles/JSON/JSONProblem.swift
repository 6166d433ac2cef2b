/// Why a text is no JSON.
package enum JSONProblem: Sendable, Equatable {
    /// The text ends inside a value.
    case unexpectedEnd
    /// A byte that cannot stand there.
    case unexpectedByte(UInt8)
    /// Text after the value.
    case trailingText
    /// A string holds a bad escape, a control character or bytes that are no UTF-8.
    case badString
    /// A number that is no JSON number or does not fit a double.
    case badNumber
    /// An object names a key twice.
    case duplicateKey(String)
    /// Arrays and objects are nested deeper than any model file needs.
    case tooDeep
}

extension JSONProblem: CustomStringConvertible {
    /// What is wrong, as the end of a sentence.
    package var description: String {
        switch self {
        case .unexpectedEnd: "the text ends inside a value"
        case .unexpectedByte(let byte):
            0x21..<0x7F ~= byte
                ? "“\(Character(Unicode.Scalar(byte)))” cannot stand here"
                : "byte 0x\(hex(byte)) cannot stand here"
        case .trailingText: "there is text after the value"
        case .badString:
            "a string with a bad escape, a control character or bytes that are no UTF-8"
        case .badNumber: "a malformed number"
        case .duplicateKey(let key): "the key “\(key)” comes twice"
        case .tooDeep: "values are nested deeper than 64 levels"
        }
    }

    private func hex(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
}
