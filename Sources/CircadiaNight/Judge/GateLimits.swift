import CircadiaEvaluation
import Foundation

/// The limits of a gate. Those on perplexity, divergence, replies and the harness are relative to
/// the base model, so that many small steps cannot add up to a large one.
package struct GateLimits: Sendable, Codable, Equatable {
    /// The largest rise of the held-out loss, as a share.
    package var heldOutRise = 0.01
    /// The largest held-out loss of a candidate, in nats a token. A higher one means that the log
    /// is noise.
    package var heldOutLoss = 5.0
    /// The largest rise of perplexity on one kind of general texts, as a share.
    package var perplexityRise = 0.05
    /// The same for the results of sums. They are few and short; harmless nights move them by up to
    /// a tenth.
    package var resultPerplexityRise = 0.25
    /// The largest mean KL divergence from the base model on all general texts, in nats a token.
    package var divergence = 0.6
    /// The same for each kind of general texts.
    package var kindDivergence = 1.0
    /// The same for the results of sums, which hardly anything but wrong sums moves.
    package var resultDivergence = 0.4
    /// The largest rise of the share of repeated words over the base model's.
    package var repeatedRise = 0.25
    /// The share of replies, beyond the base model's number, that may begin alike, be empty or
    /// decline.
    package var oddReplies = 0.2
    /// The share of replies to the person's own questions that may begin alike or be empty.
    package var oddOwnReplies = 0.5
    /// The candidate is rejected if the harness fell with a p-value below this (McNemar's exact
    /// test).
    package var significance = 0.05
    /// The step shares that are tried, the largest first.
    package var shares = [1, 0.75, 0.5, 0.25]

    /// The defaults. They were tried on the nights in `Benchmarks/results/gate.jsonl`.
    package init() {}
}

/// Each function returns the reasons against a candidate's figures; none if they pass.
extension GateLimits {
    /// Judges the held-out loss in nats a token; nil if nothing is held out.
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
            // `!(a <= b)` rather than `a > b`, so that NaN does not pass.
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
        // Half of two or three replies may be alike by chance.
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
