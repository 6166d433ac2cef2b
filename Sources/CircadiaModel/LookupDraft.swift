/// Guesses the tokens to come from what was said before: where the last few tokens stand earlier in
/// the text, what followed them there (prompt lookup decoding, Saxena 2023).
///
/// A guess costs little where it is wrong, and where a reply quotes a memory, repeats code or falls
/// into a habit it saves most of the work. It reaches as far as promises most tokens for the time,
/// by how guesses have fared so far.
package struct LookupDraft {
    /// Tokens of a guess at most; with the token before them they pass through the model together.
    package static let longest = 16

    /// Matches that are shorter are chance.
    private static let shortestMatch = 3
    /// Matches are not compared further than this.
    private static let longestMatch = 12

    /// What may be quoted, oldest first, the reply so far at the end.
    private var text: [Int32]
    /// The time of one more token in a batch, as a share of a lone token's, which waits for the
    /// weights: measured 0.2 on both SmolLM2-135M and the shape of Llama-3.2-3B.
    private static let costOfAnother = 0.2
    /// The weight of what is known when a guessed token turns out right or wrong.
    private static let memory = 0.9

    /// How often a guessed token was right, where the one before it was.
    private var hitRate = 0.7
    /// Tokens until the next guess, and how many it will be after another failure.
    private var pause = 0
    private var nextPause = 1

    /// A guesser that has read `text`.
    package init(text: [Int32]) { self.text = text }

    /// Makes room for a reply of `tokens` tokens.
    mutating func reserveCapacity(_ tokens: Int) { text.reserveCapacity(text.count + tokens) }

    /// Takes note of a token of the reply.
    package mutating func append(_ token: Int32) {
        text.append(token)
        if pause > 0 { pause -= 1 }
    }

    /// The tokens that may come next, at most `limit`; often none.
    package func guess(limit: Int) -> ArraySlice<Int32> {
        let count = min(bestReach, limit)
        guard pause == 0, count > 0, let end = latestMatch() else { return [] }
        return text[end..<min(end + count, text.count)]
    }

    /// Adapts to how many of the `drafted` tokens were right.
    package mutating func learn(drafted: Int, accepted: Int) {
        for _ in 0..<accepted { hitRate = 1 - Self.memory * (1 - hitRate) }
        if accepted < drafted { hitRate *= Self.memory }
        if accepted == 0 {
            pause = nextPause
            nextPause = min(2 * nextPause, Self.longest)
        } else {
            nextPause = 1
        }
    }

    /// The number of tokens with the most expected right ones for the time: after k guesses that is
    /// (1 + Σ rateⁱ) / (1 + cost · k), i from 1 to k.
    private var bestReach: Int {
        var best = (reach: 1, gain: 0.0)
        var expected = 1.0
        var power = 1.0
        for reach in 1...Self.longest {
            power *= hitRate
            expected += power
            let gain = expected / (1 + Self.costOfAnother * Double(reach))
            if gain > best.gain { best = (reach, gain) }
        }
        return best.reach
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
