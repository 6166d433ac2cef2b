/// A token that is found in text before all other steps.
struct AddedToken: Sendable, Equatable {
    var id: Int32
    var content: String
    var isSpecial = false
    /// Matches only between characters that are not part of a word.
    var singleWord = false
    /// Includes the white space before it.
    var stripsLeft = false
    /// Includes the white space after it.
    var stripsRight = false
    /// Searched for after the tokens without this flag.
    var isNormalized = false
}

/// Finds added tokens in text: the leftmost first, and of several at one place the longest.
///
/// The tokens are in a trie over bytes, so the cost of a search does not grow with their number.
struct AddedTokenFinder: Sendable {
    /// A stretch of text: ordinary, or one added token.
    struct Piece {
        var range: Range<Int>
        var token: Int32?
    }

    private struct Node {
        var children: [UInt8: Int] = [:]
        var token = -1
    }

    private let tokens: [AddedToken]
    private var nodes = [Node()]
    private var canStart = [Bool](repeating: false, count: 256)

    init(_ tokens: [AddedToken]) {
        self.tokens = tokens
        for (index, token) in tokens.enumerated() where !token.content.isEmpty {
            var node = 0
            for byte in token.content.utf8 {
                if node == 0 { canStart[Int(byte)] = true }
                if let child = nodes[node].children[byte] {
                    node = child
                } else {
                    nodes.append(Node())
                    nodes[node].children[byte] = nodes.count - 1
                    node = nodes.count - 1
                }
            }
            nodes[node].token = index
        }
    }

    /// Cuts `range` into added tokens and the text between them. If `skippingSpecial`, special
    /// tokens count as text.
    func split(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, skippingSpecial: Bool
    ) -> [Piece] {
        if nodes.count == 1 { return [Piece(range: range, token: nil)] }
        var pieces: [Piece] = []
        var done = range.lowerBound
        var index = range.lowerBound
        canStart.withUnsafeBufferPointer { canStart in
            while index < range.upperBound {
                guard canStart[Int(text[index])],
                    let match = longestMatch(text, from: index, to: range.upperBound)
                else {
                    index += 1
                    continue
                }
                let token = tokens[match.token]
                let matched = index..<match.end
                index = match.end
                if skippingSpecial && token.isSpecial { continue }
                if token.singleWord && touchesWord(text, matched, within: range) { continue }
                var start = matched.lowerBound
                var end = matched.upperBound
                if token.stripsLeft { start = startOfSpaces(text, before: start, from: done) }
                if token.stripsRight { end = endOfSpaces(text, from: end, to: range.upperBound) }
                if done < start { pieces.append(Piece(range: done..<start, token: nil)) }
                pieces.append(Piece(range: start..<end, token: token.id))
                done = end
                index = max(index, end)
            }
        }
        if done < range.upperBound {
            pieces.append(Piece(range: done..<range.upperBound, token: nil))
        }
        return pieces
    }

    private func longestMatch(
        _ text: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int
    ) -> (token: Int, end: Int)? {
        var best: (token: Int, end: Int)?
        var node = 0
        var index = start
        while index < end, let child = nodes[node].children[text[index]] {
            node = child
            index += 1
            if nodes[node].token >= 0 { best = (nodes[node].token, index) }
        }
        return best
    }

    // MARK: Flags

    private func touchesWord(
        _ text: UnsafeBufferPointer<UInt8>, _ match: Range<Int>, within range: Range<Int>
    ) -> Bool {
        if match.lowerBound > range.lowerBound {
            let before = decodeScalar(text, at: startOfScalar(text, before: match.lowerBound))
            if isWordScalar(before.value) { return true }
        }
        return match.upperBound < range.upperBound
            && isWordScalar(decodeScalar(text, at: match.upperBound).value)
    }

    /// `\w` of Rust's regular expressions.
    private func isWordScalar(_ value: UInt32) -> Bool {
        guard let properties = Unicode.Scalar(value)?.properties else { return false }
        if properties.isAlphabetic || properties.isJoinControl { return true }
        switch properties.generalCategory {
        case .decimalNumber, .connectorPunctuation, .nonspacingMark, .spacingMark, .enclosingMark:
            return true
        default: return false
        }
    }

    private func startOfSpaces(
        _ text: UnsafeBufferPointer<UInt8>, before end: Int, from limit: Int
    ) -> Int {
        var start = end
        while start > limit {
            let previous = startOfScalar(text, before: start)
            guard isSpace(decodeScalar(text, at: previous).value) else { break }
            start = previous
        }
        return start
    }

    private func endOfSpaces(
        _ text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int
    ) -> Int {
        var end = start
        while end < limit {
            let scalar = decodeScalar(text, at: end)
            guard isSpace(scalar.value) else { break }
            end += scalar.byteCount
        }
        return end
    }

    private func isSpace(_ value: UInt32) -> Bool {
        ScalarClasses.shared.withLookup { $0[value] & ScalarClasses.whitespace != 0 }
    }
}
