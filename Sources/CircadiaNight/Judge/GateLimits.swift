import CircadiaEvaluation
import Foundation

/// What a gate lets pass. Limits on perplexity, divergence, replies and the harness count from the base
/// model, so that many small steps cannot add up to a large one.
package struct GateLimits: Sendable, Codable, Equatable {
    /// The held-out loss may rise by this share.
    package var heldOutRise = 0.01
    /// The held-out loss of a candidate, nats a token: where it stays above, the log is noise.
    package var heldOutLoss = 5.0
    /// The perplexity of a kind of general texts may rise by this share.
    package var perplexityRise = 0.05
    /// The same of the results of sums, which are few and short: nights without harm move them by a tenth
    /// either way.
    package var resultPerplexityRise = 0.25
    /// Mean KL divergence from the base model on general texts, nats a token.
    package var divergence = 0.6
    /// The same of each kind by itself.
    package var kindDivergence = 1.0
    /// The same of the results of sums: wrong sums move these, and little else.
    package var resultDivergence = 0.4
    /// The share of repeated runs of words may rise by this much.
    package var repeatedRise = 0.25
    /// Replies that may begin alike, be empty or decline beyond the base model's, as a share of all.
    package var oddReplies = 0.2
    /// Replies to the person's own questions that may begin alike or be empty, as a share of all.
    package var oddOwnReplies = 0.5
    /// The harness may not fall with a p below this.
    package var significance = 0.05
    /// Shares of the night's step that are tried, the largest first.
    package var shares = [1, 0.75, 0.5, 0.25]

    /// The defaults; `Benchmarks/results/gate.jsonl` has the nights that they were tried on.
    package init() {}
}

/// Why figures do not pass; empty where they do.
extension GateLimits {
    /// Judges the held-out loss, nats a token; nil where none are held out.
    package func reasons(heldOut: Double?, before: Double?) -> [RejectionReason] {
        guard let heldOut, let before else { return [] }
        guard heldOut.isFinite else { return [.heldOutLossNotFinite] }
        if heldOut > before * (1 + heldOutRise) {
            return [.heldOutLossRose(before: before, after: heldOut)]
        }
        return reasons(asSaid: heldOut)
    }

    /// Judges the held-out loss of conversations word for word, nats a token.
    package func reasons(asSaid loss: Double?) -> [RejectionReason] {
        guard let loss, !(loss <= heldOutLoss) else { return [] }
        return [.heldOutLossAboveLimit(loss: loss, limit: heldOutLoss)]
    }

    /// Judges general texts, kind by kind and together.
    package func reasons(_ general: GeneralDrift) -> [RejectionReason] {
        func isOfResults(_ kind: GeneralDrift.Kind) -> Bool {
            kind.kind == GeneralText.Kind.arithmetic.rawValue
        }
        var reasons = general.kinds.compactMap { kind -> RejectionReason? in
            let limit = isOfResults(kind) ? resultPerplexityRise : perplexityRise
            // Not ≤ rather than >, so that what is not a number does not pass.
            guard !(kind.perplexityChange <= limit) else { return nil }
            return .perplexityRose(kind: kind.kind, rise: kind.perplexityChange, limit: limit)
        }
        for kind in general.kinds {
            let limit = isOfResults(kind) ? resultDivergence : kindDivergence
            guard !(kind.divergence <= limit) else { continue }
            reasons.append(.divergence(kind: kind.kind, nats: kind.divergence, limit: limit))
        }
        if !(general.divergence <= divergence) {
            reasons.append(.divergence(kind: nil, nats: general.divergence, limit: divergence))
        }
        return reasons
    }

    /// Judges replies to everyday questions against the base model's.
    package func reasons(_ replies: ReplyProbe, base: ReplyProbe) -> [RejectionReason] {
        func more(
            _ fault: RejectionReason.ReplyFault, _ count: KeyPath<ReplyProbe, Int>
        ) -> RejectionReason? {
            let allowed = Double(base[keyPath: count]) + oddReplies * Double(base.replies)
            guard Double(replies[keyPath: count]) > allowed else { return nil }
            return .replies(
                fault, count: replies[keyPath: count], total: replies.replies,
                base: base[keyPath: count])
        }
        var reasons = [more(.empty, \.empty), more(.refusal, \.refusals), more(.alike, \.alike)]
            .compactMap(\.self)
        if replies.repeatedShare > base.repeatedShare + repeatedRise {
            reasons.append(.repeatedWords(share: replies.repeatedShare, base: base.repeatedShare))
        }
        return reasons
    }

    /// Judges replies to the person's own questions.
    package func reasons(own replies: ReplyProbe) -> [RejectionReason] {
        // Of two or three, half may well be alike by chance.
        guard replies.replies >= 4 else { return [] }
        let allowed = oddOwnReplies * Double(replies.replies)
        let counts: [(RejectionReason.ReplyFault, Int)] = [
            (.alike, replies.alike), (.empty, replies.empty),
        ]
        return counts.compactMap { fault, count in
            Double(count) > allowed
                ? .ownReplies(fault, count: count, total: replies.replies) : nil
        }
    }

    /// Judges the harness.
    package func reasons(_ harness: Verdict.HarnessResult) -> [RejectionReason] {
        guard harness.lost > harness.gained, harness.pValue < significance else { return [] }
        return [
            .harnessFell(
                before: harness.passedBase, after: harness.passed, total: harness.total,
                pValue: harness.pValue)
        ]
    }
}
