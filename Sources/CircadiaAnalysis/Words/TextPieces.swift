/// Cuts long texts into pieces that an embedder reads whole.
package enum TextPieces {
    /// Characters of the longest piece: about 200 tokens, under MiniLM's 256.
    package static let longestPiece = 900

    /// The text itself, or pieces of it that end at a blank line, a line, a sentence or a word,
    /// whichever comes first in this order in the second half of the piece.
    package static func pieces(of text: String) -> [String] {
        var rest = Array(text)[...]
        var pieces: [String] = []
        while rest.count > longestPiece {
            let window = rest.prefix(longestPiece)
            let cut = bestBorder(in: window) ?? window.endIndex
            pieces.append(String(rest[rest.startIndex..<cut]))
            rest = rest[cut...]
        }
        if !rest.isEmpty || pieces.isEmpty { pieces.append(String(rest)) }
        return pieces.filter { $0.contains { !$0.isWhitespace } }
    }

    /// The index after the best place to cut in the second half of the window.
    private static func bestBorder(in window: ArraySlice<Character>) -> Int? {
        let half = window.startIndex + window.count / 2
        var best: [Int?] = [nil, nil, nil, nil]
        for index in half..<window.endIndex - 1 {
            let character = window[index]
            if character.isNewline {
                best[window[index + 1].isNewline ? 0 : 1] = index + 1
            } else if character.isWhitespace {
                let isSentenceEnd = ".!?…".contains(window[index - 1])
                best[isSentenceEnd ? 2 : 3] = index + 1
            }
        }
        return best.compactMap { $0 }.first
    }
}
