import CircadiaAnalysis
import CircadiaConversation
import Foundation

/// Selects the exchanges to forget: those that match every given condition.
package struct ForgetSelection: Sendable, Hashable {
    /// The ids of exchanges; empty for any.
    package var ids: Set<String>
    /// Words that the exchange must contain, all of them, in any form.
    package var query: String?
    /// The time range of the exchange; an exchange without a time never matches.
    package var time: Range<Date>?

    /// Makes a selection; nil or empty conditions are ignored.
    package init(ids: Set<String> = [], query: String? = nil, time: Range<Date>? = nil) {
        self.ids = ids
        self.query = query
        self.time = time
    }

    /// The 24 hours of the day, in UTC, that contains a moment.
    package static func day(of moment: Date) -> Range<Date> {
        let start = Date(
            timeIntervalSince1970: (moment.timeIntervalSince1970 / 86_400).rounded(.down) * 86_400)
        return start..<start.addingTimeInterval(86_400)
    }

    /// The range from one moment to another; nil leaves it open on that side. It is empty if the
    /// moments are in the wrong order.
    package static func time(from start: Date?, to end: Date?) -> Range<Date> {
        let start = start ?? .distantPast
        return start..<max(start, end ?? .distantFuture)
    }

    /// Whether there is no condition. An empty selection selects nothing, not everything.
    package var isEmpty: Bool { ids.isEmpty && words.isEmpty && time == nil }

    /// Whether an exchange matches all conditions.
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
