/// Guesses the tokens to come from what was said before: where the last few tokens stand earlier in
/// the text, what followed them there (prompt lookup decoding, Saxena 2023).
///
/// A guess is made for every token, and whether it is right shows one token later, also where it was
/// not used: so what matches of each length are worth is learnt for nothing. Guesses are handed out
/// only where that promises more tokens for the time, and so far as it does. Where a reply quotes a
/// memory, repeats code or falls into a habit they save most of the work; free text has none.
package struct LookupDraft {
    /// Tokens of a guess at most; with the token before them they pass through the model together.
    package static let longest = 15

    /// Matches that are shorter are chance.
    private static let shortestMatch = 2
    /// Matches are not compared further than this. So far that of two copies of a text the one wins
    /// whose lines are not quoted, once the reply has left out a quotation mark.
    private static let longestMatch = 64

    /// The time of a batch of 1 + n tokens is 1.1 + 0.2 n times a lone token's, which waits for the
    /// weights: measured on SmolLM2-135M and, for 0.2, on the shape of Llama-3.2-3B.
    private static let costOfBatch = 1.1
    private static let costOfAnother = 0.2
    /// What a guess must promise, so that a wrong opinion of it costs little.
    private static let leastGain = 1.1

    /// What may be quoted, oldest first, the reply so far at the end.
    private var text: [Int32]
    /// Where the text went on after the match: `text[next]` is the guess.
    private var next: Int?
    /// Tokens before `next` that are the end of the text; `longestMatch` at most.
    private var length = 0
    /// How often the token after a match was right, by the class of its length (`rateClass`).
    private var hitRates = [0.1, 0.3, 0.6, 0.85, 0.95]
    /// The weight of the last outcome in its rate.
    private static let freshness = 1.0 / 16

    /// A guesser that has read `text`.
    package init(text: [Int32]) {
        self.text = text
        findMatch()
    }

    /// Makes room for a reply of `tokens` tokens.
    mutating func reserveCapacity(_ tokens: Int) { text.reserveCapacity(text.count + tokens) }

    /// Takes note of a token of the reply, and of whether the guess for it was right.
    package mutating func append(_ token: Int32) {
        text.append(token)
        guard let guessed = next else { return findMatch() }
        let isRight = text[guessed] == token
        let rate = Self.rateClass(length)
        hitRates[rate] += ((isRight ? 1 : 0) - hitRates[rate]) * Self.freshness
        if isRight {
            // Whoever quotes goes on quoting: no other match can be longer.
            next = guessed + 1
            length = min(length + 1, Self.longestMatch)
        } else {
            findMatch()
        }
    }

    /// Appends the tokens that may come next to `batch`, at most `limit`; often none.
    package func guess(limit: Int, into batch: inout [Int32]) {
        guard let next else { return }
        let count = min(bestReach, limit)
        guard count > 0 else { return }
        // Where the match reaches the end of the text, the text repeats itself with that period.
        let period = text.count - next
        for index in 0..<count { batch.append(text[next + index % period]) }
    }

    /// The number of guesses with the most expected tokens for the time, or 0 where that is too
    /// little: n guesses give 1 + Σ Π rate tokens, each rate that of a match one token longer.
    private var bestReach: Int {
        var best = (reach: 0, gain: Self.leastGain)
        var expected = 1.0
        var chance = 1.0
        for reach in 1...Self.longest {
            chance *= hitRates[Self.rateClass(length + reach - 1)]
            expected += chance
            let gain = expected / (Self.costOfBatch + Self.costOfAnother * Double(reach))
            if gain > best.gain { best = (reach, gain) }
        }
        return best.reach
    }

    /// Matches of about the same worth share a rate: of 2 tokens, 3, 4 to 6, 7 to 15, 16 and more.
    private static func rateClass(_ length: Int) -> Int {
        switch length {
        case ..<3: 0
        case 3: 1
        case 4..<7: 2
        case 7..<16: 3
        default: 4
        }
    }

    /// Finds the longest earlier match of the text's end; the latest of equals.
    private mutating func findMatch() {
        var best = (length: Self.shortestMatch - 1, end: 0)
        text.withUnsafeBufferPointer { text in
            let last = text.count - 1
            var end = last
            while end > 0, best.length < Self.longestMatch {
                if text[end - 1] == text[last] {
                    var length = 1
                    while length < Self.longestMatch, length < end,
                        text[end - 1 - length] == text[last - length]
                    {
                        length += 1
                    }
                    if length > best.length { best = (length, end) }
                }
                end -= 1
            }
        }
        length = best.length
        next = best.length >= Self.shortestMatch ? best.end : nil
    }
}
