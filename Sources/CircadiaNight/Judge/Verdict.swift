import CircadiaEvaluation

/// The judgement of a night's candidate.
///
/// The gate first tries the whole step, then smaller shares of it. It promotes the first attempt
/// that has no reason against it.
package struct Verdict: Sendable, Codable, Equatable {
    /// One candidate: the night's step, or a share of it.
    package struct Attempt: Sendable, Codable, Equatable {
        /// The share of the night's step.
        package var share: Double
        /// The reasons against it; empty if it passed.
        package var reasons: [RejectionReason] = []
        /// Loss on the held-out conversations, in nats a token; nil if there are none.
        package var heldOutLoss: Double?
        /// The drift on general texts; nil if it was not measured, for example after an earlier
        /// failure.
        package var general: GeneralDrift?
        /// Measurements of replies to the person's own questions; nil if not measured.
        package var ownReplies: ReplyProbe?
        /// Measurements of replies to everyday questions; nil if not measured.
        package var replies: ReplyProbe?
        /// The harness results, paired with the base model's.
        package var harness: HarnessResult?

        /// Makes an attempt without figures.
        package init(share: Double) { self.share = share }

        /// Whether it passed.
        package var passes: Bool { reasons.isEmpty }
    }

    /// The harness results, paired with the base model's.
    package struct HarnessResult: Sendable, Codable, Equatable {
        /// Tasks that the base model passes, that the candidate passes, and all tasks.
        package var passedBase, passed, total: Int
        /// Tasks that only the candidate passes, and tasks that only the base model passes.
        package var gained, lost: Int
        /// Two-sided p-value of McNemar's exact test.
        package var pValue: Double
        /// The results by category, in alphabetical order; nil for nights that did not record them.
        package var categories: [Category]?

        /// The tasks of one category.
        package struct Category: Sendable, Codable, Equatable {
            /// The raw value of a `HarnessPrompt.Category`.
            package var name: String
            /// Tasks that the base model passes, that the candidate passes, and all tasks.
            package var passedBase, passed, total: Int

            /// Makes a category's result.
            package init(name: String, passedBase: Int, passed: Int, total: Int) {
                self.name = name
                self.passedBase = passedBase
                self.passed = passed
                self.total = total
            }
        }

        /// Makes a result.
        package init(
            passedBase: Int, passed: Int, total: Int, gained: Int, lost: Int, pValue: Double,
            categories: [Category]? = nil
        ) {
            self.passedBase = passedBase
            self.passed = passed
            self.total = total
            self.gained = gained
            self.lost = lost
            self.pValue = pValue
            self.categories = categories
        }
    }

    /// Whether a gate judged. Without one, only a loss that is not finite is rejected.
    package var isGated: Bool
    /// Loss on the held-out conversations before the night, in nats a token; nil if there are none.
    package var heldOutLossBefore: Double?
    /// The attempts in order; the last one decides.
    package var attempts: [Attempt]
    /// Measurements of the base model's replies; nil if they were not needed.
    package var repliesBase: ReplyProbe?
    /// Seconds that judging took.
    package var seconds: Double

    /// Makes a verdict.
    package init(
        isGated: Bool, heldOutLossBefore: Double?, attempts: [Attempt],
        repliesBase: ReplyProbe? = nil, seconds: Double = 0
    ) {
        self.isGated = isGated
        self.heldOutLossBefore = heldOutLossBefore
        self.attempts = attempts
        self.repliesBase = repliesBase
        self.seconds = seconds
    }

    /// The attempt that passed.
    package var accepted: Attempt? { attempts.last.flatMap { $0.passes ? $0 : nil } }
    /// Whether a candidate passed.
    package var isAccepted: Bool { accepted != nil }
    /// The held-out loss of the attempt that passed, or of the whole step if none passed.
    package var heldOutLossAfter: Double? { (accepted ?? attempts.first)?.heldOutLoss }
}
