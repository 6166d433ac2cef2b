import Foundation

/// A message whose quoted parts stand as single marks, so that they are neither split nor read.
package struct QuotedText {
    let text: String
    private var quotes: [String] = []

    private static let pairs: [Character: Character] = [
        "\"": "\"", "“": "”", "„": "“", "«": "»", "‘": "’",
    ]

    init(_ message: String) {
        var text = ""
        var rest = message[...]
        while let character = rest.first {
            rest = rest.dropFirst()
            let isApart = text.last.map { !$0.isLetter && !$0.isNumber } ?? true
            let close = Self.pairs[character] ?? (character == "'" && isApart ? "'" : nil)
            if let close,
                let end = rest.indices.first(where: { index in
                    rest[index] == close
                        && (close != "'" && close != "’"
                            || !(rest[rest.index(after: index)...].first?.isLetter ?? false))
                }), rest[..<end].count <= 80
            {
                text += "\u{E000}\(quotes.count)\u{E001}"
                let quote = String(rest[..<end])
                quotes.append(quote)
                rest = rest[rest.index(after: end)...]
                // “… by saying "Cheers." It is short.” is two sentences.
                let next = rest.drop(while: \.isWhitespace).first
                if let last = quote.last, ".!?".contains(last), next?.isUppercase == true {
                    text += "."
                }
            } else {
                text.append(character == "’" ? "'" : character)
            }
        }
        self.text = text
    }

    /// The words with their quotes; a quote alone without its marks.
    package func restored(_ part: String) -> String {
        var result = part
        for (index, quote) in quotes.enumerated() {
            let mark = "\u{E000}\(index)\u{E001}"
            result = result.replacingOccurrences(
                of: mark, with: part == mark ? quote : "\"\(quote)\"")
        }
        return result
    }
}
