/// Cuts a text into words before merging: SmolLM2's and Llama 3's rules.
enum PreTokenizer: Sendable {
    /// Single digits, then GPT-2's pattern.
    case digitsThenGPT2
    /// GPT-2's pattern alone.
    case gpt2
    /// Llama 3's pattern.
    case llama3

    static let llamaPattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    init(_ json: Any?, path: String) throws(TokenizerError) {
        let top = json as? [String: Any] ?? [:]
        let list = (top["pretokenizers"] as? [[String: Any]]) ?? (top.isEmpty ? [] : [top])
        let names = list.compactMap { $0["type"] as? String }
        if names == ["Digits", "ByteLevel"] {
            self = .digitsThenGPT2
        } else if names == ["ByteLevel"] {
            self = .gpt2
        } else if names == ["Split", "ByteLevel"],
            (list[0]["pattern"] as? [String: String])?["Regex"] == Self.llamaPattern
        {
            self = .llama3
        } else {
            throw .unsupported(
                path: path, field: "pre_tokenizer", found: names.joined(separator: ", "),
                supported: "Digits and ByteLevel (SmolLM2), or Split and ByteLevel (Llama 3)")
        }
    }

    func split(
        _ scalars: [Unicode.Scalar], _ body: (ArraySlice<Unicode.Scalar>) -> Void
    ) {
        switch self {
        case .gpt2: Scanner(scalars[...]).gpt2(body)
        case .llama3: Scanner(scalars[...]).llama3(body)
        case .digitsThenGPT2:
            var start = 0
            for index in scalars.indices where scalars[index].properties.numericType != nil {
                guard Scanner.isNumber(scalars[index]) else { continue }
                Scanner(scalars[start..<index]).gpt2(body)
                body(scalars[index...index])
                start = index + 1
            }
            Scanner(scalars[start...]).gpt2(body)
        }
    }

    struct Scanner {
        let text: ArraySlice<Unicode.Scalar>

        init(_ text: ArraySlice<Unicode.Scalar>) { self.text = text }

        static func isLetter(_ s: Unicode.Scalar) -> Bool {
            if s.isASCII { return (65...90).contains(s.value) || (97...122).contains(s.value) }
            switch s.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter,
                .otherLetter:
                return true
            default: return false
            }
        }
        static func isNumber(_ s: Unicode.Scalar) -> Bool {
            if s.isASCII { return (48...57).contains(s.value) }
            switch s.properties.generalCategory {
            case .decimalNumber, .letterNumber, .otherNumber: return true
            default: return false
            }
        }
        static func isSpace(_ s: Unicode.Scalar) -> Bool { s.properties.isWhitespace }
        static func isOther(_ s: Unicode.Scalar) -> Bool {
            !isLetter(s) && !isNumber(s) && !isSpace(s)
        }

        /// The end of the run of `member` from `index`.
        func run(_ index: Int, _ member: (Unicode.Scalar) -> Bool) -> Int {
            var end = index
            while end < text.endIndex, member(text[end]) { end += 1 }
            return end
        }

        /// The end of a contraction at `index`, or nil.
        func contraction(_ index: Int, foldingCase: Bool) -> Int? {
            guard text[index] == "'" else { return nil }
            let rest = text[(index + 1)...].prefix(2).map {
                foldingCase ? Character($0).lowercased() : String($0)
            }
            guard let first = rest.first else { return nil }
            if ["s", "t", "m", "d"].contains(first) { return index + 2 }
            if rest.count == 2, ["re", "ve", "ll"].contains(first + rest[1]) { return index + 3 }
            return nil
        }

        /// `\s+(?!\S)|\s+` at `index`, where white space begins.
        func space(_ index: Int) -> Int {
            let end = run(index, Self.isSpace)
            return end == text.endIndex || end - index == 1 ? end : end - 1
        }

        func gpt2(_ body: (ArraySlice<Unicode.Scalar>) -> Void) {
            var index = text.startIndex
            while index < text.endIndex {
                var end = contraction(index, foldingCase: false) ?? index
                if end == index {
                    let start =
                        text[index] == " " && index + 1 < text.endIndex
                            && !Self.isSpace(text[index + 1]) ? index + 1 : index
                    let first = text[start]
                    if Self.isLetter(first) {
                        end = run(start, Self.isLetter)
                    } else if Self.isNumber(first) {
                        end = run(start, Self.isNumber)
                    } else if Self.isOther(first) {
                        end = run(start, Self.isOther)
                    } else {
                        end = space(index)
                    }
                }
                body(text[index..<end])
                index = end
            }
        }

        func llama3(_ body: (ArraySlice<Unicode.Scalar>) -> Void) {
            var index = text.startIndex
            while index < text.endIndex {
                let end = llamaWord(index)
                body(text[index..<end])
                index = end
            }
        }

        private func isBreak(_ s: Unicode.Scalar) -> Bool { s == "\r" || s == "\n" }

        private func llamaWord(_ index: Int) -> Int {
            if let end = contraction(index, foldingCase: true) { return end }
            let first = text[index]
            if Self.isLetter(first) { return run(index, Self.isLetter) }
            if !isBreak(first), !Self.isNumber(first), index + 1 < text.endIndex,
                Self.isLetter(text[index + 1])
            {
                return run(index + 1, Self.isLetter)
            }
            if Self.isNumber(first) { return min(run(index, Self.isNumber), index + 3) }
            let start =
                first == " " && index + 1 < text.endIndex && Self.isOther(text[index + 1])
                ? index + 1 : index
            if Self.isOther(text[start]) { return run(run(start, Self.isOther), isBreak) }
            let end = run(index, Self.isSpace)
            if let last = text[index..<end].lastIndex(where: isBreak) { return last + 1 }
            return space(index)
        }
    }
}
