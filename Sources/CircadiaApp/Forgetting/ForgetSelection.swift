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
