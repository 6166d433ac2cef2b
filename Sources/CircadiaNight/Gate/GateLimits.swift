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

/// What does not pass, a sentence each; empty where it does.
extension GateLimits {
    package func reasons(heldOut: Double?, before: Double?) -> [String] {
        guard let heldOut, let before else { return [] }
        guard heldOut.isFinite else { return ["the held-out loss is not finite"] }
        if heldOut > before * (1 + heldOutRise) {
            return [String(format: "held-out loss rose, %.3f → %.3f", before, heldOut)]
        }
        return reasons(asSaid: heldOut)
    }

    package func reasons(asSaid loss: Double?) -> [String] {
        guard let loss, !(loss <= heldOutLoss) else { return [] }
        return [
            String(
                format: "held-out loss is %.3f nats a token even after training (at most %g): "
                    + "what was said is noise", loss, heldOutLoss)
        ]
    }

    package func reasons(_ general: GeneralDrift) -> [String] {
        func isOfResults(_ kind: GeneralDrift.Kind) -> Bool {
            kind.kind == GeneralText.Kind.arithmetic.rawValue
        }
        var reasons = general.kinds.compactMap { kind -> String? in
            let limit = isOfResults(kind) ? resultPerplexityRise : perplexityRise
            // Not ≤ rather than >, so that what is not a number does not pass.
            guard !(kind.perplexityChange <= limit) else { return nil }
            return String(
                format: "perplexity of %@ texts rose by %.0f%% (at most %.0f%%)", kind.kind,
                kind.perplexityChange * 100, limit * 100)
        }
        for kind in general.kinds {
            let limit = isOfResults(kind) ? resultDivergence : kindDivergence
            guard !(kind.divergence <= limit) else { continue }
            reasons.append(
                String(
                    format: "KL divergence on %@ texts %.2f nats a token (at most %g)", kind.kind,
                    kind.divergence, limit))
        }
        if !(general.divergence <= divergence) {
            reasons.append(
                String(
                    format: "KL divergence from the base model %.2f nats a token (at most %.2f)",
                    general.divergence, divergence))
        }
        return reasons
    }

    package func reasons(_ replies: ReplyProbe, base: ReplyProbe) -> [String] {
        func more(_ count: KeyPath<ReplyProbe, Int>, _ what: String) -> String? {
            let allowed = Double(base[keyPath: count]) + oddReplies * Double(base.replies)
            guard Double(replies[keyPath: count]) > allowed else { return nil }
            return "\(replies[keyPath: count]) of \(replies.replies) replies \(what) (base model "
                + "\(base[keyPath: count]))"
        }
        var reasons = [
            more(\.empty, "are empty"), more(\.refusals, "decline"),
            more(\.alike, "begin alike"),
        ].compactMap(\.self)
        if replies.repeatedShare > base.repeatedShare + repeatedRise {
            reasons.append(
                String(
                    format: "%.0f%% of the words in replies are repeated (base model %.0f%%)",
                    replies.repeatedShare * 100, base.repeatedShare * 100))
        }
        return reasons
    }

    package func reasons(own replies: ReplyProbe) -> [String] {
        // Of two or three, half may well be alike by chance.
        guard replies.replies >= 4 else { return [] }
        let allowed = oddOwnReplies * Double(replies.replies)
        return [("begin alike", replies.alike), ("are empty", replies.empty)].compactMap {
            Double($1) > allowed
                ? "\($1) of \(replies.replies) replies to your own questions \($0)" : nil
        }
    }

    package func reasons(_ score: GateReport.Score) -> [String] {
        guard score.lost > score.gained, score.pValue < significance else { return [] }
        return [
            String(
                format: "the harness fell, %d → %d of %d (p %.3f)", score.passedBase, score.passed,
                score.total, score.pValue)
        ]
    }
}
