import Foundation

/// What a model's replies to a few everyday questions look like from outside: whether it still answers,
/// each question in its own way, without going round in circles.
package struct ReplyProbe: Codable, Sendable, Equatable {
    /// Replies looked at.
    package let replies: Int
    /// Replies without a word.
    package let empty: Int
    /// Replies that decline to answer.
    package let refusals: Int
    /// The most replies that begin with the same twelve words.
    package let alike: Int
    /// The share of four-word runs that came before in the same reply.
    package let repeatedShare: Double

    /// Looks at replies.
    package init(_ replies: [String]) {
        let words = replies.map { reply in
            reply.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "'" }.map(String.init)
        }
        self.replies = replies.count
        empty = words.count(where: \.isEmpty)
        refusals = words.count(where: Self.isRefusal)
        let beginnings = Dictionary(grouping: words.filter { !$0.isEmpty }) { $0.prefix(12) }
        alike = beginnings.values.map(\.count).max() ?? 0
        var (runs, repeated) = (0, 0)
        for words in words {
            var seen: Set<ArraySlice<String>> = []
            for start in words.indices.dropLast(3) {
                runs += 1
                if !seen.insert(words[start..<start + 4]).inserted { repeated += 1 }
            }
        }
        repeatedShare = runs > 0 ? Double(repeated) / Double(runs) : 0
    }

    /// Asks the questions, greedily.
    ///
    /// - Parameters:
    ///   - subject: who answers.
    ///   - questions: of other kinds than `reply` none is asked.
    ///   - maxTokens: of a reply at most.
    ///   - isCancelled: asked between questions.
    /// - Returns: what the replies look like; nil where it was cancelled.
    /// - Throws: what the subject throws.
    package static func measure(
        _ subject: some HarnessSubject, questions: [GeneralText], maxTokens: Int = 48,
        isCancelled: () -> Bool = { false }
    ) throws -> ReplyProbe? {
        var replies: [String] = []
        for question in questions where question.kind == .reply {
            if isCancelled() { return nil }
            replies.append(try subject.reply(to: question.messages, maxTokens: maxTokens))
        }
        return ReplyProbe(replies)
    }

    private static let refusalOpenings = [
        "i can't", "i cannot", "i can not", "i'm sorry", "i am sorry", "sorry", "i'm unable",
        "i am unable", "i'm not able", "i am not able", "i won't", "as an ai", "unfortunately i",
    ].map { $0.split(separator: " ").map(String.init) }

    private static func isRefusal(_ words: [String]) -> Bool {
        refusalOpenings.contains { words.starts(with: $0) }
    }
}
