import Foundation

extension RejectionReason: CustomStringConvertible {
    /// The reason in a few words; several are joined with semicolons.
    package var description: String {
        switch self {
        case .heldOutLossNotFinite: "the held-out loss is not finite"
        case .heldOutLossRose(let before, let after):
            String(format: "held-out loss rose, %.3f → %.3f", before, after)
        case .heldOutLossAboveLimit(let loss, let limit):
            String(
                format: "held-out loss is %.3f nats a token even after training (at most %g): "
                    + "the log is noise", loss, limit)
        case .perplexityRose(let kind, let rise, let limit):
            String(
                format: "perplexity of %@ texts rose by %.0f%% (at most %.0f%%)", kind, rise * 100,
                limit * 100)
        case .divergence(let kind?, let nats, let limit):
            String(
                format: "KL divergence on %@ texts %.2f nats a token (at most %g)", kind, nats,
                limit)
        case .divergence(nil, let nats, let limit):
            String(
                format: "KL divergence from the base model %.2f nats a token (at most %.2f)", nats,
                limit)
        case .replies(let fault, let count, let total, let base):
            "\(count) of \(total) replies \(fault.predicate) (base model \(base))"
        case .repeatedWords(let share, let base):
            String(
                format: "%.0f%% of the words in replies are repeated (base model %.0f%%)",
                share * 100, base * 100)
        case .ownReplies(let fault, let count, let total):
            "\(count) of \(total) replies to your own questions \(fault.predicate)"
        case .harnessFell(let before, let after, let total, let pValue):
            String(format: "the harness fell, %d → %d of %d (p %.3f)", before, after, total, pValue)
        case .recorded(let sentence): sentence
        }
    }
}

extension RejectionReason.ReplyFault {
    /// The predicate of a sentence about replies with this fault.
    fileprivate var predicate: String {
        switch self {
        case .empty: "are empty"
        case .refusal: "decline"
        case .alike: "begin alike"
        }
    }
}

extension Verdict.Attempt {
    /// The figures in one line.
    package var figures: String {
        var parts: [String] = []
        if let general {
            let kinds = general.kinds.map {
                String(format: "%@ %+.1f%%", $0.kind, $0.perplexityChange * 100)
            }
            parts.append("perplexity: " + kinds.joined(separator: ", "))
            parts.append(String(format: "KL %.3f", general.divergence))
        }
        if let replies {
            parts.append(String(format: "repeated %.0f%%", replies.repeatedShare * 100))
        }
        if let harness {
            parts.append(
                String(
                    format: "harness %d → %d of %d (p %.2f)", harness.passedBase, harness.passed,
                    harness.total, harness.pValue))
        }
        return parts.joined(separator: "; ")
    }

    /// The reasons in one line; empty if the candidate passed.
    package var reasonText: String { reasons.map(\.description).joined(separator: "; ") }
}

extension Verdict: CustomStringConvertible {
    /// The verdict in one sentence.
    package var description: String {
        guard let accepted else {
            let reasons = attempts.first?.reasonText ?? ""
            return isGated
                ? "rejected: \(reasons); yesterday's adapter stays" : "rejected: \(reasons)"
        }
        guard isGated else { return "promoted without a gate" + change(to: accepted.heldOutLoss) }
        let step =
            accepted.share == 1
            ? "promoted" : String(format: "promoted at %g of the night's step", accepted.share)
        let figures = accepted.figures
        return step + change(to: accepted.heldOutLoss) + (figures.isEmpty ? "" : "; " + figures)
    }

    private func change(to after: Double?) -> String {
        guard let before = heldOutLossBefore, let after else {
            return ": the log is too short to hold anything out"
        }
        return String(format: ": held-out loss %.3f → %.3f", before, after)
    }
}
