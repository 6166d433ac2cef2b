import CircadiaConversation
import Foundation

/// Decides where an exchange goes at night.
///
/// Everything trains the weights, except what a person tagged `no-train`, what was said from memory and
/// replies that were rejected: how you speak is learnt from all of it. What must stay exact is also
/// shelved verbatim in the retrieval store: code, links, JSON, long texts and numbers.
package enum Router {
    /// An exchange with more characters than this, all its messages together, is long.
    package static let longestPlainTalk = 280
    /// An exchange with more digits than this, all its messages together, is heavy with numbers.
    package static let mostPlainDigits = 20

    /// Decides for one exchange. System messages are instructions and do not count.
    ///
    /// - Parameter exchange: what was said.
    /// - Returns: where it goes, with every reason that was found.
    package static func decide(_ exchange: Exchange) -> RoutingDecision {
        decide(exchange, lesson: nil)
    }

    /// The same for an exchange of a log, where a later message may have rejected its reply.
    ///
    /// - Parameters:
    ///   - exchange: what was said.
    ///   - lesson: what `Lessons` says of the exchange; nil goes by its own tags.
    /// - Returns: as above.
    package static func decide(_ exchange: Exchange, lesson: Lesson?) -> RoutingDecision {
        let bars = TrainingBar.bars(of: exchange, lesson: lesson)
        let texts = exchange.spokenMessages.map(\.content)
        let characters = texts.reduce(0) { $0 + $1.count }
        let digits = texts.reduce(0) { total, text in
            total + text.unicodeScalars.count { $0.properties.numericType == .decimal }
        }
        if exchange.tags.contains(Exchange.noRetrievalTag) {
            return RoutingDecision(
                destination: .weights, bars: bars, reasons: [.taggedNoRetrieval])
        }
        var reasons: [RoutingReason] = []
        var signs: Set<CodeSign> = []
        var links = 0
        var hasJSON = false
        for text in texts {
            signs.formUnion(CodeDetector.signs(in: text))
            links += LinkDetector.count(in: text)
            hasJSON = hasJSON || JSONDetector.isPresent(in: text)
        }
        if !signs.isEmpty { reasons.append(.code(signs.sorted { $0.rawValue < $1.rawValue })) }
        if links > 0 { reasons.append(.links(count: links)) }
        if hasJSON { reasons.append(.json) }
        if characters > longestPlainTalk { reasons.append(.long(characters: characters)) }
        if digits > mostPlainDigits { reasons.append(.numbers(digits: digits)) }
        if reasons.isEmpty {
            return RoutingDecision(
                destination: .weights, bars: bars,
                reasons: [.plainTalk(characters: characters, digits: digits)])
        }
        return RoutingDecision(destination: .store, bars: bars, reasons: reasons)
    }
}
