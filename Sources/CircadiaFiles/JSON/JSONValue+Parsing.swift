import Foundation

extension JSONValue {
    /// Reads a whole file as one JSON value.
    ///
    /// - Throws: `FileError.cannotRead` or `.malformedJSON` with the byte offset.
    package init(contentsOf url: URL) throws(FileError) {
        self = try MappedFile(url).withBytes { (bytes) throws(FileError) in
            try JSONValue(parsing: bytes, path: url.path)
        }
    }

    /// Reads one JSON value (RFC 8259, UTF-8); `path` is for messages.
    ///
    /// - Throws: `FileError.malformedJSON` with the byte offset.
    package init(parsing bytes: UnsafeRawBufferPointer, path: String) throws(FileError) {
        var parser = JSONParser(bytes: bytes)
        do {
            self = try parser.document()
        } catch {
            throw .malformedJSON(path: path, offset: parser.offset, problem: error)
        }
    }
}

extension JSONProblem: Error {}

/// A recursive reader over UTF-8 bytes; `offset` is where it stopped.
private struct JSONParser {
    let bytes: UnsafeRawBufferPointer
    var offset = 0
    private var depth = 0
    private static let depthLimit = 64

    init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func document() throws(JSONProblem) -> JSONValue {
        let value = try value()
        skipSpace()
        if offset != bytes.count { throw .trailingText }
        return value
    }

    private mutating func skipSpace() {
        while offset < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[offset]) {
            offset += 1
        }
    }

    private func peek() throws(JSONProblem) -> UInt8 {
        guard offset < bytes.count else { throw .unexpectedEnd }
        return bytes[offset]
    }

    private mutating func expect(_ byte: UInt8) throws(JSONProblem) {
        let found = try peek()
        guard found == byte else { throw .unexpectedByte(found) }
        offset += 1
    }

    private mutating func value() throws(JSONProblem) -> JSONValue {
        skipSpace()
        let byte = try peek()
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            if depth > Self.depthLimit { throw .tooDeep }
            let value: JSONValue =
                byte == UInt8(ascii: "{") ? .object(try object()) : .array(try array())
            depth -= 1
            return value
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw .unexpectedByte(byte)
        }
    }

    private mutating func literal(
        _ text: StaticString, _ value: JSONValue
    ) throws(JSONProblem) -> JSONValue {
        for index in 0..<text.utf8CodeUnitCount { try expect(text.utf8Start[index]) }
        return value
    }

    private mutating func object() throws(JSONProblem) -> JSONObject {
        var result = JSONObject()
        offset += 1
        skipSpace()
        if try peek() == UInt8(ascii: "}") {
            offset += 1
            return result
        }
        while true {
            skipSpace()
            let start = offset
            guard try peek() == UInt8(ascii: "\"") else { throw .unexpectedByte(bytes[offset]) }
            let key = try string()
            if result[key] != nil {
                offset = start
                throw .duplicateKey(key)
            }
            skipSpace()
            try expect(UInt8(ascii: ":"))
            result[key] = try value()
            skipSpace()
            if try peek() == UInt8(ascii: ",") {
                offset += 1
            } else {
                try expect(UInt8(ascii: "}"))
                return result
            }
        }
    }

    private mutating func array() throws(JSONProblem) -> [JSONValue] {
        var result: [JSONValue] = []
        offset += 1
        skipSpace()
        if try peek() == UInt8(ascii: "]") {
            offset += 1
            return result
        }
        while true {
            result.append(try value())
            skipSpace()
            if try peek() == UInt8(ascii: ",") {
                offset += 1
            } else {
                try expect(UInt8(ascii: "]"))
                return result
            }
        }
    }

    private mutating func number() throws(JSONProblem) -> JSONValue {
        let start = offset
        var isInteger = true
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
            case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                isInteger = false
            default:
                return try number(String(decoding: bytes[start..<offset], as: UTF8.self), isInteger)
            }
            offset += 1
        }
        return try number(String(decoding: bytes[start..<offset], as: UTF8.self), isInteger)
    }

    private func number(_ text: String, _ isInteger: Bool) throws(JSONProblem) -> JSONValue {
        let digits = text.drop { $0 == "-" }
        let isPadded = digits.first == "0" && digits.dropFirst().first?.isNumber == true
        guard let value = Double(text), value.isFinite, digits.first?.isNumber == true, !isPadded
        else { throw .badNumber }
        if isInteger, let integer = Int(text) { return .integer(integer) }
        return .number(value)
    }

    private mutating func string() throws(JSONProblem) -> String {
        offset += 1
        let start = offset
        while offset < bytes.count, bytes[offset] != UInt8(ascii: "\""),
            bytes[offset] != UInt8(ascii: "\\"), bytes[offset] >= 0x20
        {
            offset += 1
        }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") {
            guard let text = String(validating: bytes[start..<offset], as: UTF8.self) else {
                throw .badString
            }
            offset += 1
            return text
        }
        return try escapedString(from: start)
    }

    private mutating func escapedString(from start: Int) throws(JSONProblem) -> String {
        var buffer = Array(bytes[start..<offset])
        while true {
            let byte = try peek()
            if byte == UInt8(ascii: "\"") {
                guard let text = String(validating: buffer, as: UTF8.self) else {
                    throw .badString
                }
                offset += 1
                return text
            }
            guard byte >= 0x20 else { throw .badString }
            offset += 1
            if byte == UInt8(ascii: "\\") {
                buffer.append(contentsOf: try escape())
            } else {
                buffer.append(byte)
            }
        }
    }

    private mutating func escape() throws(JSONProblem) -> [UInt8] {
        let byte = try peek()
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): break
        default: throw .badString
        }
        var code = try hexadecimal()
        if 0xD800..<0xDC00 ~= code {
            try expectInString(UInt8(ascii: "\\"))
            try expectInString(UInt8(ascii: "u"))
            let low = try hexadecimal()
            guard 0xDC00..<0xE000 ~= low else { throw .badString }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw .badString }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func expectInString(_ byte: UInt8) throws(JSONProblem) {
        guard try peek() == byte else { throw .badString }
        offset += 1
    }

    private mutating func hexadecimal() throws(JSONProblem) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(try peek())).hexDigitValue else {
                throw .badString
            }
            code = code << 4 | UInt32(digit)
            offset += 1
        }
        return code
    }
}
