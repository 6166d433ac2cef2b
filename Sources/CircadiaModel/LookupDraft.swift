/// Guesses the tokens to come from what was said before: where the last few tokens stand earlier in
/// the text, what followed them there (prompt lookup decoding, Saxena 2023).
///
/// A guess costs little where it is wrong, and where a reply quotes a memory, repeats code or falls
/// into a habit it saves most of the work. How far it reaches follows how it fared.
struct LookupDraft {
    /// Tokens of a guess at most; with the token before them they pass through the model together.
    static let longest = 16

    /// Matches that are shorter are chance.
    private static let shortestMatch = 3
    /// Matches are not compared further than this.
    private static let longestMatch = 12

    /// What may be quoted, oldest first, the reply so far at the end.
    private var text: [Int32]
    /// Tokens of the next guess at most.
    private var reach = 4
    /// Tokens until the next guess, and how many it will be after another failure.
    private var pause = 0
    private var nextPause = 1

    /// A guesser that has read `text`.
    init(text: [Int32]) { self.text = text }

    /// Makes room for a reply of `tokens` tokens.
    mutating func reserveCapacity(_ tokens: Int) { text.reserveCapacity(text.count + tokens) }

    /// Takes note of a token of the reply.
    mutating func append(_ token: Int32) {
        text.append(token)
        if pause > 0 { pause -= 1 }
    }

    /// The tokens that may come next, at most `limit`; often none.
    func guess(limit: Int) -> ArraySlice<Int32> {
        let count = min(reach, limit)
        guard pause == 0, count > 0, let end = latestMatch() else { return [] }
        return text[end..<min(end + count, text.count)]
    }

    /// Adapts to how many of the `drafted` tokens were right.
    mutating func learn(drafted: Int, accepted: Int) {
        if accepted == 0 {
            reach = 2
            pause = nextPause
            nextPause = min(2 * nextPause, Self.longest)
        } else {
            nextPause = 1
            reach = accepted == drafted ? min(2 * reach, Self.longest) : accepted + 1
        }
    }

    /// Where the text goes on after the longest earlier match of its end; the latest of equals.
    private func latestMatch() -> Int? {
        guard text.count > Self.shortestMatch else { return nil }
        return text.withUnsafeBufferPointer { text in
            let last = text.count - 1
            var best: (length: Int, end: Int)?
            var end = last
            while end > 0 {
                if text[end - 1] == text[last] {
                    var length = 1
                    while length < Self.longestMatch, length < end,
                        text[end - 1 - length] == text[last - length]
                    {
                        length += 1
                    }
                    if length > best?.length ?? Self.shortestMatch - 1 { best = (length, end) }
                    if length == Self.longestMatch { break }
                }
                end -= 1
            }
            return best?.end
        }
    }
}
