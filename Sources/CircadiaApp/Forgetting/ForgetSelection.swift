import CircadiaAnalysis
import CircadiaConversation
import Foundation

/// Which exchanges are to be forgotten: those that fit everything that is given.
package struct ForgetSelection: Sendable, Hashable {
    /// Exchanges by id.
    package var ids: Set<String>
    /// Exchanges that hold every one of these words, in any of their forms.
    package var query: String?
    /// Exchanges of this time; those without a time fit none.
    package var time: Range<Date>?

    /// A selection; what is nil or empty does not narrow it.
    package init(ids: Set<String> = [], query: String? = nil, time: Range<Date>? = nil) {
        self.ids = ids
        self.query = query
        self.time = time
    }

    /// The 24 hours, in UTC, of the day that a moment lies in.
    package static func day(of moment: Date) -> Range<Date> {
        let start = Date(
            timeIntervalSince1970: (moment.timeIntervalSince1970 / 86_400).rounded(.down) * 86_400)
        return start..<start.addingTimeInterval(86_400)
    }

    /// The time from one moment to another; without one of them it is open on that side. Empty if
    /// they are in the wrong order.
    package static func time(from start: Date?, to end: Date?) -> Range<Date> {
        let start = start ?? .distantPast
        return start..<max(start, end ?? .distantFuture)
    }

    /// Whether it selects anything at all: an empty one selects nothing rather than everything.
    package var isEmpty: Bool { ids.isEmpty && words.isEmpty && time == nil }

    /// The exchanges that fit.
    func matches(_ exchange: Exchange) -> Bool {
        if isEmpty { return false }
        if !ids.isEmpty && !ids.contains(exchange.id) { return false }
        if let time {
            guard let timestamp = exchange.timestamp, time.contains(timestamp) else { return false }
        }
        if query != nil {
            let held = Set(
                WordForms.words(of: exchange.messages.map(\.content).joined(separator: "\n")))
            if words.isEmpty || !words.isSubset(of: held) { return false }
        }
        return true
    }

    private var words: Set<String> { Set(query.map { WordForms.words(of: $0) } ?? []) }
}
