import Foundation

/// Reads JSON from bytes on demand: the caller asks for what it expects next.
///
/// There is no tree. A tokenizer.json of several megabytes holds one large object and one large
/// array, and both are consumed element by element straight into tables. A reader is a value: a
/// copy keeps its own place, so a part can be skipped now and read later.
///
/// Every complaint names a byte offset.
package struct JSONReader {
    /// A complaint about one byte of the input.
    package struct Failure: Error, Equatable {
        /// Its offset.
        package var byte: Int
        /// The token that could have stood there.
        package var expected: String
        /// The bytes that stand there.
        package var found: String
        /// What is wrong, for readers that expect nothing in particular.
        package var problem: JSONProblem

        /// Equal where the messages are.
        package static func == (left: Failure, right: Failure) -> Bool {
            left.byte == right.byte && left.expected == right.expected && left.found == right.found
        }
    }

    /// What kind of value comes next.
    package enum Kind: Equatable {
        case object, array, string, number, bool, null
    }

    /// The whole text, in UTF-8.
    package let bytes: UnsafeBufferPointer<UInt8>
    /// Offset of the next byte to read.
    package private(set) var position = 0

    /// A reader at the start of `bytes`, which must outlive it.
    ///
    /// - Parameters:
    ///   - bytes: the text, in UTF-8.
    ///   - allowsMark: skips a byte-order mark at the start, which means nothing.
    package init(_ bytes: UnsafeBufferPointer<UInt8>, allowsMark: Bool = true) {
        self.bytes = bytes
        if allowsMark, bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
            position = 3
        }
    }

    /// Calls `body` with a reader at the start of `data`.
    package static func reading<Result>(
        _ data: Data, _ body: (inout JSONReader) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let result: Swift.Result<Result, Failure> = data.withUnsafeBytes { raw in
            var reader = JSONReader(raw.bindMemory(to: UInt8.self))
            do throws(Failure) {
                return .success(try body(&reader))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    // MARK: Structure

    /// The kind of the next value; nothing is consumed but white space.
    package mutating func peek() throws(Failure) -> Kind {
        skipWhitespace()
        guard position < bytes.count else { throw failure("a value") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: throw failure("a value")
        }
    }

    /// Consumes `{`.
    package mutating func beginObject() throws(Failure) -> Members {
        try consume(UInt8(ascii: "{"), "an object")
        return Members(separator: Separator(close: UInt8(ascii: "}")))
    }

    /// Consumes `[`.
    package mutating func beginArray() throws(Failure) -> Elements {
        try consume(UInt8(ascii: "["), "an array")
        return Elements(separator: Separator(close: UInt8(ascii: "]")))
    }

    /// The commas and the closing bracket of one object or array.
    package struct Separator {
        let close: UInt8
        private var isFirst = true

        init(close: UInt8) { self.close = close }

        /// Whether another element follows; consumes the comma or the closing bracket.
        mutating func hasNext(_ reader: inout JSONReader) throws(Failure) -> Bool {
            reader.skipWhitespace()
            guard reader.position < reader.bytes.count else {
                throw reader.failure("\"\(UnicodeScalar(close))\"")
            }
            if reader.bytes[reader.position] == close {
                reader.position += 1
                return false
            }
            if !isFirst {
                try reader.consume(UInt8(ascii: ","), "\",\" or \"\(UnicodeScalar(close))\"")
            }
            isFirst = false
            return true
        }
    }

    /// The members of an object that is being read.
    package struct Members {
        private var separator: Separator
        init(separator: Separator) { self.separator = separator }

        /// The next key, its colon consumed, or nil at the end of the object.
        package mutating func nextKey(_ reader: inout JSONReader) throws(Failure) -> JSONString? {
            guard try separator.hasNext(&reader) else { return nil }
            let key = try reader.string()
            try reader.consume(UInt8(ascii: ":"), "\":\"")
            return key
        }

        /// The next key as exact text and the offset of its opening quote, its colon consumed; nil
        /// at the end of the object.
        mutating func nextExactKey(
            _ reader: inout JSONReader
        ) throws(Failure) -> (key: String, quote: Int)? {
            guard try separator.hasNext(&reader) else { return nil }
            reader.skipWhitespace()
            let quote = reader.position
            let key = try reader.exactText()
            try reader.consume(UInt8(ascii: ":"), "\":\"")
            return (key, quote)
        }
    }

    /// The elements of an array that is being read.
    package struct Elements {
        private var separator: Separator
        init(separator: Separator) { self.separator = separator }

        /// Whether another element follows.
        package mutating func next(_ reader: inout JSONReader) throws(Failure) -> Bool {
            try separator.hasNext(&reader)
        }
    }

    /// Checks that nothing but white space is left.
    package mutating func end() throws(Failure) {
        skipWhitespace()
        if position < bytes.count { throw failure("the end of the file", .trailingText) }
    }

    // MARK: Scalars

    /// Reads a string; the result refers to the reader's bytes.
    package mutating func string() throws(Failure) -> JSONString {
        try consume(UInt8(ascii: "\""), "a string")
        let start = position
        var hasEscapes = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let range = start..<position
                position += 1
                return JSONString(range: range, hasEscapes: hasEscapes)
            }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try checkEscape()
            } else if byte < 0x20 {
                throw failure("an escaped control character", .badString)
            } else {
                position += 1
            }
        }
        throw failure("the closing quote of the string that starts at byte \(start - 1)")
    }

    /// Reads a string as text; broken UTF-8 and lone surrogates become U+FFFD.
    package mutating func text() throws(Failure) -> String {
        try string().text(in: bytes)
    }

    /// Reads a string as text that must be UTF-8 without lone surrogates.
    package mutating func exactText() throws(Failure) -> String {
        let string = try string()
        guard let text = string.exactText(in: bytes) else {
            // The closing quote: what was read up to it is no text.
            position -= 1
            throw failure("text in UTF-8 without lone surrogates", .badString)
        }
        return text
    }

    /// Reads a number: an integer where it is written as one and fits, else a double.
    package mutating func number() throws(Failure) -> JSONValue {
        skipWhitespace()
        let start = position
        skipNumber()
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        let digits = text.drop { $0 == "-" }
        let isPadded = digits.first == "0" && digits.dropFirst().first?.isNumber == true
        guard let value = Double(text), value.isFinite, digits.first?.isNumber == true, !isPadded
        else { throw failure("a number", .badNumber) }
        if !text.contains(where: { "+.eE".contains($0) }), let integer = Int(text) {
            return .integer(integer)
        }
        return .number(value)
    }

    /// Reads a number that has to be a whole one.
    package mutating func integer() throws(Failure) -> Int {
        skipWhitespace()
        let start = position
        var negative = false
        if position < bytes.count, bytes[position] == UInt8(ascii: "-") {
            negative = true
            position += 1
        }
        var value = 0
        var digits = 0
        while position < bytes.count, let digit = decimalValue(bytes[position]) {
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(digit)
            guard !tooLarge, !overflow else {
                position = start
                throw failure("a smaller whole number")
            }
            value = sum
            digits += 1
            position += 1
        }
        let isFraction =
            position < bytes.count
            && [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(bytes[position])
        guard digits > 0, !isFraction else {
            position = start
            throw failure("a whole number")
        }
        return negative ? -value : value
    }

    /// Reads `true` or `false`.
    package mutating func bool() throws(Failure) -> Bool {
        skipWhitespace()
        if consumeWord("true") { return true }
        if consumeWord("false") { return false }
        throw failure("true or false")
    }

    /// Consumes a word such as `null`; a failure names its first wrong byte.
    package mutating func word(_ word: StaticString) throws(Failure) {
        skipWhitespace()
        for index in 0..<word.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == word.utf8Start[index] else {
                throw failure("\(word)")
            }
            position += 1
        }
    }

    /// Consumes `null` if that is what comes next.
    package mutating func null() -> Bool {
        skipWhitespace()
        return consumeWord("null")
    }

    /// Reads text, or nil for `null`.
    package mutating func optionalText() throws(Failure) -> String? {
        null() ? nil : try text()
    }

    // MARK: Skipping

    /// Skips the next value, whatever it is, and returns where its bytes lie.
    @discardableResult
    package mutating func skip() throws(Failure) -> Range<Int> {
        skipWhitespace()
        let start = position
        // Brackets are kept on a stack of their own, so that deep nesting cannot overflow ours.
        var open: [Separator] = []
        repeat {
            if var innermost = open.popLast() {
                guard try innermost.hasNext(&self) else { continue }
                open.append(innermost)
                if innermost.close == UInt8(ascii: "}") {
                    _ = try string()
                    try consume(UInt8(ascii: ":"), "\":\"")
                }
            }
            switch try peek() {
            case .object:
                position += 1
                open.append(Separator(close: UInt8(ascii: "}")))
            case .array:
                position += 1
                open.append(Separator(close: UInt8(ascii: "]")))
            case .string: _ = try string()
            case .bool: _ = try bool()
            case .null: if !null() { throw failure("a value") }
            case .number: skipNumber()
            }
        } while !open.isEmpty
        return start..<position
    }

    private mutating func skipNumber() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
                UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                position += 1
            default: return
            }
        }
    }

    // MARK: Bytes

    /// A complaint about the byte at the current position.
    ///
    /// - Parameters:
    ///   - expected: what should be there.
    ///   - problem: what is wrong; without it, the byte or the end of the text.
    /// - Returns: the complaint.
    package func failure(_ expected: String, _ problem: JSONProblem? = nil) -> Failure {
        guard position < bytes.count else {
            return Failure(
                byte: position, expected: expected, found: "the end of the file",
                problem: problem ?? .unexpectedEnd)
        }
        let end = Swift.min(position + 12, bytes.count)
        let text = String(decoding: bytes[position..<end], as: UTF8.self)
        return Failure(
            byte: position, expected: expected, found: text.quotedForMessage,
            problem: problem ?? .unexpectedByte(bytes[position]))
    }

    /// Moves to the next byte that is not white space.
    @inline(__always)
    package mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    @inline(__always)
    private mutating func consume(
        _ byte: UInt8, _ expected: @autoclosure () -> String
    ) throws(Failure) {
        skipWhitespace()
        guard position < bytes.count, bytes[position] == byte else { throw failure(expected()) }
        position += 1
    }

    private mutating func consumeWord(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        for i in 0..<count where bytes[position + i] != word.utf8Start[i] { return false }
        position += count
        return true
    }

    private mutating func checkEscape() throws(Failure) {
        guard position + 1 < bytes.count else {
            position = bytes.count
            throw failure("the rest of an escape")
        }
        switch bytes[position + 1] {
        case UInt8(ascii: "u"):
            for i in 2..<6 {
                guard position + i < bytes.count, hexadecimalValue(bytes[position + i]) != nil
                else { throw failure("\\u and four hexadecimal digits", .badString) }
            }
            position += 6
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        default:
            throw failure("a valid escape", .badString)
        }
    }
}
