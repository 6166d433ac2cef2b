/// A reason against a candidate.
package enum RejectionReason: Sendable, Codable, Equatable {
    /// A fault of a candidate's replies.
    package enum ReplyFault: String, Sendable, Codable, CaseIterable {
        /// The replies contain no word.
        case empty
        /// The replies decline to answer.
        case refusal
        /// The replies begin with the same words.
        case alike
    }

    /// The held-out loss is infinite or not a number.
    case heldOutLossNotFinite
    /// The held-out loss, in nats a token, rose by more than the limit.
    case heldOutLossRose(before: Double, after: Double)
    /// The held-out loss, in nats a token, is above `limit` even after training, so the log is
    /// noise.
    case heldOutLossAboveLimit(loss: Double, limit: Double)
    /// The perplexity of one kind of general texts rose by the share `rise`.
    case perplexityRose(kind: String, rise: Double, limit: Double)
    /// The KL divergence from the base model, in nats a token, is above `limit` on one kind of
    /// general texts, or on all of them if `kind` is nil.
    case divergence(kind: String?, nats: Double, limit: Double)
    /// More replies to everyday questions have a fault than the base model's `base`.
    case replies(ReplyFault, count: Int, total: Int, base: Int)
    /// The replies repeat a larger share of their words than the base model's replies do.
    case repeatedWords(share: Double, base: Double)
    /// Too many replies to the person's own questions have a fault.
    case ownReplies(ReplyFault, count: Int, total: Int)
    /// The candidate passes fewer tasks of the harness, and chance does not explain it.
    case harnessFell(before: Int, after: Int, total: Int, pValue: Double)
    /// A sentence that an earlier version of the program wrote into a file.
    case recorded(String)
}
