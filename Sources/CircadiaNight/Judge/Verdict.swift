import CircadiaEvaluation

/// How a night's candidate was judged.
///
/// A candidate is first tried whole, then with smaller shares of the night's step. The first attempt
/// without a reason against it is promoted.
package struct Verdict: Sendable, Codable, Equatable {
    /// One candidate: the night's step, or a share of it.
    package struct Attempt: Sendable, Codable, Equatable {
        /// The share of the night's step.
        package var share: Double
        /// Why it did not pass; empty where it did.
        package var reasons: [RejectionReason] = []
        /// Loss on the held-out conversations, nats a token; nil where none are held out.
        package var heldOutLoss: Double?
        /// General texts; nil where they were not measured, as after an earlier failure.
        package var general: GeneralDrift?
        /// Replies to the person's own questions.
        package var ownReplies: ReplyProbe?
        /// Replies to everyday questions.
        package var replies: ReplyProbe?
        /// The harness, paired with the base model's.
        package var harness: HarnessResult?

        /// Makes an attempt without figures.
        package init(share: Double) { self.share = share }

        /// Whether it passed.
        package var passes: Bool { reasons.isEmpty }
    }

    /// The harness, paired with the base model's.
    package struct HarnessResult: Sendable, Codable, Equatable {
        /// Tasks that the base model and the candidate pass, and all.
        package var passedBase, passed, total: Int
        /// Tasks that only the candidate passes, and only the base model.
        package var gained, lost: Int
        /// Two-sided p of McNemar's exact test.
        package var pValue: Double
        /// The same by category, in alphabetical order; nil of nights that did not record it.
        package var categories: [Category]?

        /// The tasks of one category.
        package struct Category: Sendable, Codable, Equatable {
            /// `HarnessPrompt.Category`.
            package var name: String
            /// Tasks that the base model and the candidate pass, and all.
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

    /// Whether a gate judged; without one only a loss that is no number is refused.
    package var isGated: Bool
    /// Loss on the held-out conversations before the night, nats a token; nil where none are held out.
    package var heldOutLossBefore: Double?
    /// The candidates in the order in which they were tried; the last one decides.
    package var attempts: [Attempt]
    /// Replies of the base model; nil where they were not needed.
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
    /// The held-out loss of the candidate that passed; of a rejected night that of the whole step.
    package var heldOutLossAfter: Double? { (accepted ?? attempts.first)?.heldOutLoss }
}
