import CircadiaTestSupport

import CircadiaTokenizer

/// Text that is hard on tokenizers: the same for the same seed.
struct MixedText {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    private static let prose = [
        "The night train left at 11:47 p.m., and nobody (not even Ada) noticed. ",
        "I don't think we'll make it; they've said it's closed, I'd bet. ",
        "WE'RE LATE, IT'S 7 O'CLOCK!\n",
        "Naïve café owners in São Paulo and Łódź sell Weißbier — ‘really’ “good” stuff…\n\n",
        "Prices: $1,234.56, €99, £3.14, 50%, 1e-5, 0xFF, 2024-07-26T08:00:00Z\n",
    ]
    private static let code = [
        "def f(x: int) -> int:\n    \"\"\"Doc.\"\"\"\n    return x ** 2 if x > 0 else -x\n\n",
        "\tfor (int i = 0; i < n; ++i) { a[i] += b[i] * c; }  // sum\r\n",
        "let r = try await client.get(\"https://example.org/a?b=1&c=%20\")\n",
        "{\"k\": [1, 2.5e3, null]}",
        "<div class=\"a\">&amp;</div>\n", "SELECT * FROM t WHERE a<>'b''c';\n",
        "$ ls -la | grep '^d' && cd ..\n",
    ]
    private static let emoji = ["👨‍👩‍👧‍👦", "🏳️‍🌈", "👩🏽‍💻", "🇩🇪🇫🇷", "❤️", "🤷🏿‍♂️", "1️⃣", "😀"]
    private static let special = [
        "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<|begin_of_text|>", "<|im_start", "|>",
        "<|endoftext|>", "[CLS]", "[SEP]", "[MASK]", "[UNK]", "[PAD", "<repo_name>", "<|image|>",
        "<|start_header_id|>user<|end_header_id|>\n\n", "<|reserved_special_token_12|>", "<s>",
    ]
    private static let contractions = [
        "'s", "'LL", "'ve", "'ſ", "'ſabc", "'Re", "''", "'", "x'd", "'sabc", "'t",
    ]
    private static let ranges: [ClosedRange<UInt32>] = [
        0x4E00...0x9FFF, 0x3041...0x30FF, 0xAC00...0xD7A3, 0x600...0x6FF, 0x590...0x5FF,
        0x900...0xDFF, 0xA0...0x2FF, 0x300...0x36F, 0x370...0x52F, 0x1E00...0x2FFF,
        0xF900...0xFAFF, 0xFB00...0xFFFF, 0x1D100...0x1D1FF, 0x1F000...0x1FAFF, 0x2F800...0x2FA1F,
        0x0...0x1F, 0x7F...0xA0, 0xE000...0xF8FF, 0x10000...0x1FFFF, 0x0...0x10FFFF,
    ]

    /// About `byteCount` bytes of everything, shuffled.
    mutating func text(byteCount: Int) -> String {
        var text = ""
        while text.utf8.count < byteCount { text += snippet() }
        return text
    }

    /// A few characters to a few lines.
    mutating func snippet() -> String {
        switch Int.random(in: 0..<16, using: &random) {
        case 0...3: return pick(Self.prose)
        case 4...5: return pick(Self.code)
        case 6: return String(repeating: pick(Self.emoji), count: count(3))
        case 7: return pick(Self.special) + pick(["", " ", "\n"])
        case 8: return pick(Self.contractions) + pick([" ", "", "\r\n", " \r\n\r\n  "])
        case 9: return String(repeating: " ", count: count(90)) + pick(["", "x", "\n", "\t"])
        case 10: return String(repeating: pick(["\n", "\r\n", "\t", "\u{3000}"]), count: count(12))
        case 11: return String(repeating: "\u{FFFD}", count: count(3))
        case 12: return digits() + pick(["", ".", "٣٤٥", "½²", "a"])
        case 13: return letters()
        default: return scalars()
        }
    }

    private mutating func count(_ limit: Int) -> Int { Int.random(in: 1...limit, using: &random) }

    private mutating func pick(_ choices: [String]) -> String {
        choices[Int.random(in: 0..<choices.count, using: &random)]
    }

    private mutating func digits() -> String {
        (0..<count(25)).map { _ in String(Int.random(in: 0...9, using: &random)) }.joined()
    }

    private mutating func letters() -> String {
        let alphabet = [
            "a", "b", "e", "s", "t", "A", "Z", "é", "ü", "ß", "İ", "ı", "ǅ", "e\u{301}",
        ]
        return (0..<count(120)).map { _ in pick(alphabet) }.joined()
    }

    private mutating func scalars() -> String {
        var text = String.UnicodeScalarView()
        let range = Self.ranges[Int.random(in: 0..<Self.ranges.count, using: &random)]
        for _ in 0..<count(24) {
            // A lone surrogate arrives as the replacement character.
            let value = UInt32.random(in: range, using: &random)
            text.append(Unicode.Scalar(value) ?? "\u{FFFD}")
            if Int.random(in: 0..<6, using: &random) == 0 { text.append(" ") }
        }
        return String(text)
    }
}
