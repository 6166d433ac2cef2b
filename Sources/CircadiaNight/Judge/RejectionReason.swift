/// Why the gate does not let a candidate pass.
package enum RejectionReason: Sendable, Codable, Equatable {
    /// What can be wrong with a candidate's replies.
    package enum ReplyFault: String, Sendable, Codable, CaseIterable {
        /// They hold no word.
        case empty
        /// They decline to answer.
        case refusal
        /// They begin with the same words.
        case alike
    }

    /// The held-out loss is infinite or not a number.
    case heldOutLossNotFinite
    /// The held-out loss rose by more than the limit; nats a token.
    case heldOutLossRose(before: Double, after: Double)
    /// The held-out loss is above `limit` even after training, so the log is noise; nats a token.
    case heldOutLossAboveLimit(loss: Double, limit: Double)
    /// The perplexity of one kind of general texts rose by the share `rise`.
    case perplexityRose(kind: String, rise: Double, limit: Double)
    /// The KL divergence from the base model on one kind of general texts, or on all of them where
    /// `kind` is nil; nats a token.
    case divergence(kind: String?, nats: Double, limit: Double)
    /// More replies to everyday questions have a fault than the base model's `base`.
    case replies(ReplyFault, count: Int, total: Int, base: Int)
    /// More words in replies are repeated than in the base model's; both are shares.
    case repeatedWords(share: Double, base: Double)
    /// Too many replies to the person's own questions have a fault.
    case ownReplies(ReplyFault, count: Int, total: Int)
    /// The candidate passes fewer tasks of the harness, and chance does not explain it.
    case harnessFell(before: Int, after: Int, total: Int, pValue: Double)
    /// A sentence that an earlier version of the program wrote into a file.
    case recorded(String)
}
