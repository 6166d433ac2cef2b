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
            line.firstMatch(
                of: /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal)\s+)?import\s+(?:(?:struct|class|enum|func|protocol)\s+)?(\w+)/
            ).map { String($0.output.1) }
        }
    }

    /// Its functions, with the number of lines from declaration to closing brace.
    var functions: [Function] {
        code.indices.compactMap { index in
            let line = code[index]
            guard
                line.contains(
                    /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|private|fileprivate|internal|static|class|mutating|override|final|nonisolated|convenience|required)\s+)*(?:func\s|(?:init|deinit|subscript)\b)/
                ), let end = endOfBody(from: index)
            else { return nil }
            return Function(
                line: index + 1, lineCount: end - index + 1,
                declaration: line.trimmingCharacters(in: .whitespaces))
        }
    }

    /// The line of the brace that closes the body of the declaration on line `start`; nil where it
    /// has no body, as in a protocol.
    private func endOfBody(from start: Int) -> Int? {
        var (braces, parentheses, isOpen) = (0, 0, false)
        for index in start..<code.count {
            for character in code[index] {
                switch character {
                case "(", "[": parentheses += 1
                case ")", "]": parentheses -= 1
                case "{":
                    braces += 1
                    if parentheses == 0 { isOpen = true }
                case "}": braces -= 1
                default: break
                }
                if braces < 0 { return nil }
                if isOpen && braces == 0 { return index }
            }
            // Without an open parenthesis or a continued signature the declaration is over.
            let next = index + 1 < code.count ? code[index + 1] : ""
            let goesOn = next.contains(/^\s*(?:[{)]|->|async\b|throws\b|rethrows\b|where\b)/)
            if !isOpen && parentheses == 0 && !goesOn && !code[index].hasSuffix(",") {
                return nil
            }
        }
        return nil
    }
}

/// Splits Swift into code, comments and string literals; raw and multi-line strings too.
struct SwiftScanner {
    private let characters: [Character]
    private var position = 0
    private var line = 1
    private(set) var code = ""
    private(set) var literals: [SwiftSource.Literal] = []

    init(_ text: String) { characters = Array(text) }

    /// Reads everything.
    mutating func scan() { scanCode(untilParenthesis: false) }

    private func peek(_ offset: Int = 0) -> Character? {
        position + offset < characters.count ? characters[position + offset] : nil
    }

    private func isNext(_ text: String) -> Bool {
        text.enumerated().allSatisfy { peek($0.offset) == $0.element }
    }

    /// Takes one character; line breaks always stay in the code, so that lines keep their numbers.
    private mutating func take(asCode: Bool) {
        guard let character = peek() else { return }
        if character == "\n" { line += 1 }
        if asCode || character == "\n" { code.append(character) }
        position += 1
    }

    private mutating func scanCode(untilParenthesis: Bool) {
        var depth = 0
        while let character = peek() {
            if isNext("//") {
                while let next = peek(), next != "\n" { take(asCode: false) }
            } else if isNext("/*") {
                skipComment()
            } else if character == "\"" || character == "#", let hashes = hashesOfString() {
                scanString(hashes: hashes)
            } else if character == "/", isRegex {
                skipRegex()
            } else {
                if character == "(" { depth += 1 }
                if character == ")" {
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
            if isNext("/*") { depth += 1 } else if isNext("*/") { depth -= 1 } else {
                take(asCode: false)
                continue
            }
            take(asCode: false)
            take(asCode: false)
        } while depth > 0 && peek() != nil
    }

    /// The number of `#` before a string that begins here; nil where none begins.
    private func hashesOfString() -> Int? {
        var count = 0
        while peek(count) == "#" { count += 1 }
        return peek(count) == "\"" ? count : nil
    }

    /// Whether a bare regex literal begins here: a slash at the beginning of an expression.
    private var isRegex: Bool {
        guard peek(1) != " ", peek(1) != "=" else { return false }
        let before = code.last { $0 != " " && $0 != "\n" }
        return before == "(" || before == "," || before == "=" || before == ":"
    }

    private mutating func skipRegex() {
        take(asCode: false)
        while let character = peek(), character != "/", character != "\n" {
            if character == "\\" { take(asCode: false) }
            take(asCode: false)
        }
        take(asCode: false)
    }

    private mutating func scanString(hashes: Int) {
        let marks = String(repeating: "#", count: hashes)
        let start = line
        for _ in 0..<hashes { take(asCode: false) }
        let isLong = isNext("\"\"\"")
        let end = (isLong ? "\"\"\"" : "\"") + marks
        for _ in 0..<(isLong ? 3 : 1) { take(asCode: false) }
        var text = ""
        code.append("\"")
        while let character = peek(), !isNext(end) {
            if isNext("\\" + marks + "(") {
                for _ in 0..<(2 + hashes) { take(asCode: false) }
                // Interpolated code is code: it may hold calls and literals of its own.
                code.append("(")
                scanCode(untilParenthesis: true)
                code.append(")")
                take(asCode: false)
                text.append(" ")
            } else if isNext("\\" + marks) {
                for _ in 0..<(1 + hashes) { take(asCode: false) }
                if let next = peek() { text.append(next) }
                take(asCode: false)
            } else {
                text.append(character)
                take(asCode: false)
            }
        }
        for _ in 0..<end.count { take(asCode: false) }
        code.append("\"")
        literals.append(SwiftSource.Literal(line: start, text: text))
    }
}
