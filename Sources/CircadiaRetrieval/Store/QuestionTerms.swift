import CircadiaAnalysis
import Foundation
import GRDB

/// The terms of a question with where they occur, and whom the question is about.
struct QuestionTerms {
    /// Terms to look for, most telling or not, without the names of speakers.
    private(set) var terms: [(term: String, postings: TermPostings)] = []
    /// Terms that are names by which a speaker is addressed.
    private(set) var names: [(term: String, addresses: TermPostings)] = []

    init(_ terms: [String], _ cache: PostingsCache, _ database: Database) throws {
        let postings = try cache.postings(of: terms, database)
        let addresses = try cache.postings(
            of: terms.map { Postings.addressPrefix + $0 }, database)
        let isName = zip(addresses, postings).map(Self.isName)
        for (index, term) in terms.enumerated() {
            if isName[index] { names.append((term, addresses[index])) }
            // A question of nothing but a name is about the word.
            if !isName[index] || !isName.contains(false) {
                self.terms.append((term, postings[index]))
            }
        }
    }

    /// A word is a speaker's name where it is mostly said in addressing somebody.
    private static func isName(_ addresses: TermPostings, of postings: TermPostings) -> Bool {
        let count = addresses.count
        return count >= 2 && count * 5 >= postings.count * 2
    }

    /// The question without the names of speakers: vectors cannot tell who speaks, and a name only
    /// draws them to those who say it.
    func withoutNames(_ question: String) -> String {
        if names.isEmpty { return question }
        let known = Set(names.map(\.term))
        let kept = question.split(separator: " ").filter { word in
            guard let first = SearchWords.terms(in: String(word)).first else { return true }
            return !known.contains(first)
        }
        return kept.isEmpty ? question : kept.joined(separator: " ")
    }
}

/// Which side of each conversation a question asks about.
struct AskedSide {
    /// For each session: 1 the user, -1 the other side, 0 not known.
    private var ofSession: [Int8] = []

    /// The names decide: whom the other side addresses as Anna is Anna. Where a conversation does
    /// not tell, all of them together do, if they agree.
    init(names: [(term: String, addresses: TermPostings)], in index: IndexContents) {
        guard !names.isEmpty else { return }
        ofSession = [Int8](repeating: 0, count: index.sessionCount)
        for name in names {
            var balance = [Int32](repeating: 0, count: index.sessionCount)
            var total: Int32 = 0
            var size: Int32 = 0
            name.addresses.forEach { number, counts in
                guard let slot = index.slot(number) else { return }
                // Said by the other side: it names the user.
                let vote = (counts & 15 > 0 ? 1 : 0) - (counts >> 4 > 0 ? 1 : 0)
                balance[Int(index.session[slot])] += Int32(vote)
                total += Int32(vote)
                size += 1
            }
            let agreed: Int32 = abs(total) * 5 >= size * 3 ? total.signum() : 0
            for session in ofSession.indices {
                let side = balance[session] == 0 ? agreed : balance[session].signum()
                ofSession[session] = Int8(clamping: Int32(ofSession[session]) + side)
            }
        }
        // Both sides named: about neither in particular.
        for session in ofSession.indices { ofSession[session] = ofSession[session].signum() }
    }

    /// Whether a side is asked about in any conversation.
    var isKnown: Bool { ofSession.contains { $0 != 0 } }

    subscript(session: Int32) -> Int8 {
        ofSession.isEmpty ? 0 : ofSession[Int(session)]
    }
}
