import CircadiaAnalysis
import Foundation

/// Merges what a search found: nearly the same said twice, and what a newer exchange contradicts.
struct MemoryMerging {
    private let questionTerms: Set<String>
    /// Whether the question is about a time; then what was said at another time does not stand for it.
    private let namesTime: Bool
    private let asksForHistory: Bool

    init(question: String, namesTime: Bool) {
        questionTerms = Set(SearchWords.queryTerms(in: question))
        self.namesTime = namesTime
        asksForHistory = !Self.historyWords.isDisjoint(with: SearchWords.words(in: question))
    }

    /// Words of questions about what no longer holds.
    private static let historyWords: Set<String> = [
        "used", "before", "previously", "formerly", "originally", "earlier", "old", "former",
        "first", "history", "change", "changed", "ever", "past",
    ]

    /// Memories without those that a better one stands for, whose `earlier` they are. The newest takes the
    /// place of the best ranked.
    ///
    /// - Parameter found: best first.
    /// - Returns: best first, each with those that it stands for.
    func merged(_ found: [Memory]) -> [Memory] {
        var kept: [(memory: Memory, said: SaidByUser)] = []
        for memory in found {
            let said = SaidByUser(transcript: memory.text)
            if let index = kept.firstIndex(where: { $0.said.isNearlySame(as: said) }) {
                // Where a time is asked for, the better ranked one is of that time.
                if !namesTime, Self.isNewer(memory, than: kept[index].memory) {
                    kept[index] = (
                        Self.standing(memory, for: kept[index].memory, isContradicted: false), said
                    )
                } else {
                    kept[index].memory = Self.standing(
                        kept[index].memory, for: memory, isContradicted: false)
                }
            } else {
                kept.append((memory, said))
            }
        }
        return namesTime || asksForHistory ? kept.map(\.memory) : withoutContradicted(kept)
    }

    private func withoutContradicted(
        _ found: [(memory: Memory, said: SaidByUser)]
    ) -> [Memory] {
        // The newer holds, whichever was found first; it takes the better one's place.
        var standing = found
        var index = 0
        while index < standing.count {
            let newer = standing.indices.dropFirst(index + 1).first { other in
                isContradiction(standing[other], standing[index])
            }
            if let newer {
                let isOther = Self.isNewer(standing[newer].memory, than: standing[index].memory)
                let (winner, loser) = isOther ? (newer, index) : (index, newer)
                standing[index] = (
                    Self.standing(
                        standing[winner].memory, for: standing[loser].memory, isContradicted: true),
                    standing[winner].said
                )
                standing.remove(at: newer)
            } else {
                index += 1
            }
        }
        return standing.map(\.memory)
    }

    private func isContradiction(
        _ one: (memory: Memory, said: SaidByUser), _ other: (memory: Memory, said: SaidByUser)
    ) -> Bool {
        guard let first = one.memory.timestamp, let second = other.memory.timestamp,
            first != second
        else { return false }
        let (newer, older) = first > second ? (one.said, other.said) : (other.said, one.said)
        for new in newer.claims {
            for old in older.claims {
                guard let common = Claim.contradiction(of: new, with: old) else { continue }
                // What is not asked about may be the lesser part of what the older one says.
                if !common.isDisjoint(with: questionTerms)
                    || 2 * old.telling.count >= older.telling.count
                {
                    return true
                }
            }
        }
        return false
    }

    private static func isNewer(_ memory: Memory, than other: Memory) -> Bool {
        (memory.timestamp ?? .distantPast) > (other.timestamp ?? .distantPast)
    }

    private static func standing(
        _ memory: Memory, for other: Memory, isContradicted: Bool
    ) -> Memory {
        var result = memory
        result.earlier += other.earlier
        result.earlier.append(
            Memory.Earlier(
                id: other.id, timestamp: other.timestamp, text: other.text,
                isContradicted: isContradicted))
        result.earlier.sort { ($0.timestamp ?? .distantPast) > ($1.timestamp ?? .distantPast) }
        return result
    }
}

/// What a person said in an exchange, for comparing it with another.
struct SaidByUser {
    /// The telling terms of the user's side, and of everything.
    let telling: Set<String>
    private let all: Set<String>
    private let numbers: Set<String>
    private let isNegated: Bool
    /// The statements of the user's side.
    let claims: [Claim]

    /// Reads what `Exchange.transcript` wrote.
    init(transcript: String) {
        var user: [Substring] = []
        var isUser = true
        for line in transcript.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("user: ") {
                isUser = true
                user.append(line.dropFirst(6))
            } else if line.hasPrefix("assistant: ") || line.hasPrefix("tool: ") {
                isUser = false
            } else if isUser {
                user.append(line)
            }
        }
        let text = user.joined(separator: "\n")
        claims = Claim.claims(in: text)
        let words = SearchWords.words(in: text)
        telling = Set(
            words.filter { !EnglishWords.smallTalk.contains($0) }.map(SearchWords.term))
        numbers = Set(words.filter { $0.contains(where: \.isNumber) })
        isNegated = !Claim.negations.isDisjoint(with: words)
        all = Set(SearchWords.terms(in: transcript))
    }

    /// Whether the user said the same but for a few words, none of them a number or a “not”, and the answers
    /// are not about something else.
    func isNearlySame(as other: SaidByUser) -> Bool {
        guard !telling.isEmpty, numbers == other.numbers, isNegated == other.isNegated else {
            return telling.isEmpty && all == other.all
        }
        return Self.overlap(telling, other.telling) >= 0.85 && Self.overlap(all, other.all) >= 0.5
    }

    /// Dice's coefficient.
    private static func overlap(_ one: Set<String>, _ other: Set<String>) -> Double {
        2 * Double(one.intersection(other).count) / Double(max(1, one.count + other.count))
    }
}
