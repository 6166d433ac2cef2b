/// Names something that a night makes of an exchange: a training row, a paraphrase, a pair.
///
/// It carries its parts, so that no program reads them back out of `description`, the form that files,
/// seeds and reports use.
package struct RowID: Sendable, Hashable, CustomStringConvertible {
    /// What of the exchange it names.
    package enum Part: Sendable, Hashable {
        /// The exchange itself; also a general text or a piece of prose, which has an id of its own.
        case whole
        /// The reply that puts an earlier one right, as an answer to the question that came first.
        case originalAnswer
        /// The question in other words.
        case paraphrase
        /// A question answered as the preference stated in the exchange wants it; the pairs of a night
        /// are numbered from 0.
        case preferencePair(Int)
    }

    /// The exchange's id.
    package let exchange: String
    /// What of it is named.
    package let part: Part

    /// The name of a part of an exchange.
    package init(exchange: String, part: Part = .whole) {
        self.exchange = exchange
        self.part = part
    }

    /// The exchange's id; `+q` follows for the original answer, `+p` for a paraphrase, `+f` and the number
    /// for a pair.
    package var description: String {
        switch part {
        case .whole: exchange
        case .originalAnswer: exchange + "+q"
        case .paraphrase: exchange + "+p"
        case .preferencePair(let number): exchange + "+f\(number)"
        }
    }

    /// The names of the rows that can teach an exchange's own replies.
    package static func ownRows(of exchange: String) -> [RowID] {
        [RowID(exchange: exchange), RowID(exchange: exchange, part: .originalAnswer)]
    }
}
