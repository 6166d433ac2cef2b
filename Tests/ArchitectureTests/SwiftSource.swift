import Foundation

/// A Swift file, with what is code and what is text told apart.
struct SwiftSource {
    /// A string literal, without its interpolated code.
    struct Literal {
        /// The line that it begins on, from 1.
        var line: Int
        var text: String
    }

    /// A function, initialiser or subscript.
    struct Function {
        /// Its first line, from 1.
        var line: Int
        var lineCount: Int
        /// The first line's code.
        var declaration: String
    }

    /// Its path from the package's root.
    let path: String
    /// Its lines as they stand.
    let lines: [Substring]
    /// Its lines with comments removed and the text of string literals left out.
    let code: [String]
    /// Its string literals.
    let literals: [Literal]

    /// The target that it belongs to: the folder below `Sources` or `Tests`.
    var target: String { String(path.split(separator: "/")[1]) }

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var scanner = SwiftScanner(text)
        scanner.scan()
        code = scanner.code.split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
        literals = scanner.literals
    }

    /// The modules that it imports.
    var imports: [String] {
        code.compactMap { line in
            guard line.contains("import ") else { return nil }
            return line.firstMatch(
                of:
                    /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal)\s+)?import\s+(?:(?:struct|class|enum|func|protocol)\s+)?(\w+)/
            ).map { String($0.output.1) }
        }
    }

    /// Its functions, with the number of lines from declaration to closing brace.
    var functions: [Function] {
        code.indices.compactMap { index in
            let line = code[index]
            guard Self.mayDeclare(line),
                line.contains(
                    /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|private|fileprivate|internal|static|class|mutating|override|final|nonisolated|convenience|required)\s+)*(?:func\s|(?:init|deinit|subscript)\b)/
                ), let end = endOfBody(from: index)
            else { return nil }
            return Function(
                line: index + 1, lineCount: end - index + 1,
                declaration: line.trimmingCharacters(in: .whitespaces))
        }
    }

    /// Whether a line holds a word that begins a function: regular expressions are slow.
    private static func mayDeclare(_ line: String) -> Bool {
        ["func ", "init", "deinit", "subscript"].contains { line.contains($0) }
    }

    /// The line of the brace that closes the body of the declaration on line `start`; nil where it
    /// has no body, as in a protocol.
    private func endOfBody(from start: Int) -> Int? {
        var (braces, parentheses, isOpen) = (0, 0, false)
        for index in start..<code.count {
            for byte in code[index].utf8 {
                switch byte {
                case UInt8(ascii: "("), UInt8(ascii: "["): parentheses += 1
                case UInt8(ascii: ")"), UInt8(ascii: "]"): parentheses -= 1
                case UInt8(ascii: "{"):
                    braces += 1
                    if parentheses == 0 { isOpen = true }
                case UInt8(ascii: "}"): braces -= 1
                default: break
                }
                if braces < 0 { return nil }
                if isOpen && braces == 0 { return index }
            }
            // Without an open parenthesis or a continued signature the declaration is over.
            guard !isOpen && parentheses == 0 else { continue }
            let next = index + 1 < code.count ? code[index + 1] : ""
            let goesOn = next.contains(/^\s*(?:[{)]|->|async\b|throws\b|rethrows\b|where\b)/)
            if !goesOn && !code[index].hasSuffix(",") { return nil }
        }
        return nil
    }
}

/// Splits Swift into code, comments and string literals; raw and multi-line strings too.
struct SwiftScanner {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var codeBytes: [UInt8] = []
    private(set) var literals: [SwiftSource.Literal] = []

    init(_ text: String) {
        bytes = Array(text.utf8)
        codeBytes.reserveCapacity(bytes.count)
    }

    /// The code alone, with as many lines as the text.
    var code: String { String(decoding: codeBytes, as: UTF8.self) }

    /// Reads everything.
    mutating func scan() { scanCode(untilParenthesis: false) }

    private func peek(_ offset: Int = 0) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    private func isNext(_ text: [UInt8]) -> Bool {
        position + text.count <= bytes.count
            && text.indices.allSatisfy { bytes[position + $0] == text[$0] }
    }

    private func isNext(_ first: Character, _ second: Character) -> Bool {
        peek() == first.asciiValue && peek(1) == second.asciiValue
    }

    /// Takes one byte; line breaks always stay in the code, so that lines keep their numbers.
    private mutating func take(asCode: Bool) {
        guard let byte = peek() else { return }
        if byte == UInt8(ascii: "\n") { line += 1 }
        if asCode || byte == UInt8(ascii: "\n") { codeBytes.append(byte) }
        position += 1
    }

    private mutating func drop(_ count: Int) {
        for _ in 0..<count { take(asCode: false) }
    }

    private mutating func scanCode(untilParenthesis: Bool) {
        var depth = 0
        while let byte = peek() {
            if isNext("/", "/") {
                while let next = peek(), next != UInt8(ascii: "\n") { take(asCode: false) }
            } else if isNext("/", "*") {
                skipComment()
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "#"),
                let hashes = hashesOfString()
            {
                scanString(hashes: hashes)
            } else if byte == UInt8(ascii: "/"), isRegex {
                skipRegex()
            } else {
                if byte == UInt8(ascii: "(") { depth += 1 }
                if byte == UInt8(ascii: ")") {
                    depth -= 1
                    if untilParenthesis && depth < 0 { return }
                }
                take(asCode: true)
            }
        }
    }

    private mutating func skipComment() {
        var depth = 0
        repeat {
            if isNext("/", "*") {
                depth += 1
                drop(2)
            } else if isNext("*", "/") {
                depth -= 1
                drop(2)
            } else {
                take(asCode: false)
            }
        } while depth > 0 && peek() != nil
    }

    /// The number of `#` before a string that begins here; nil where none begins.
    private func hashesOfString() -> Int? {
        var count = 0
        while peek(count) == UInt8(ascii: "#") { count += 1 }
        return peek(count) == UInt8(ascii: "\"") ? count : nil
    }

    /// Whether a bare regex literal begins here: a slash at the beginning of an expression.
    private var isRegex: Bool {
        guard peek(1) != UInt8(ascii: " "), peek(1) != UInt8(ascii: "=") else { return false }
        let before = codeBytes.last { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") }
        return before.map { Array("(,=:".utf8).contains($0) } ?? false
    }

    private mutating func skipRegex() {
        drop(1)
        while let byte = peek(), byte != UInt8(ascii: "/"), byte != UInt8(ascii: "\n") {
            drop(byte == UInt8(ascii: "\\") ? 2 : 1)
        }
        drop(1)
    }

    private mutating func scanString(hashes: Int) {
        let marks = [UInt8](repeating: UInt8(ascii: "#"), count: hashes)
        let escape = [UInt8(ascii: "\\")] + marks
        let start = line
        drop(hashes)
        let quotes = isNext(Array("\"\"\"".utf8)) ? 3 : 1
        let end = [UInt8](repeating: UInt8(ascii: "\""), count: quotes) + marks
        drop(quotes)
        var text: [UInt8] = []
        codeBytes.append(UInt8(ascii: "\""))
        while let byte = peek(), !isNext(end) {
            if byte == UInt8(ascii: "\\"), isNext(escape + [UInt8(ascii: "(")]) {
                drop(escape.count + 1)
                // Interpolated code is code: it may hold calls and literals of its own.
                codeBytes.append(UInt8(ascii: "("))
                scanCode(untilParenthesis: true)
                codeBytes.append(UInt8(ascii: ")"))
                drop(1)
                text.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "\\"), isNext(escape) {
                drop(escape.count)
                if let next = peek() { text.append(next) }
                take(asCode: false)
            } else {
                text.append(byte)
                take(asCode: false)
            }
        }
        drop(end.count)
        codeBytes.append(UInt8(ascii: "\""))
        literals.append(
            SwiftSource.Literal(line: start, text: String(decoding: text, as: UTF8.self)))
    }
}
