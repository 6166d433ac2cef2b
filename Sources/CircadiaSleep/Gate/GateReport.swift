import CircadiaEvaluation
import Foundation

/// How a candidate was judged.
public struct GateReport: Sendable, Codable, Equatable {
    /// One candidate: the night's step, or a part of it.
    public struct Attempt: Sendable, Codable, Equatable {
        /// The share of the night's step.
        public var share: Double
        /// Why it did not pass, a sentence each; empty where it did.
        public var reasons: [String] = []
        /// Loss on the held-out conversations, nats a token.
        @NullWhenNil public var heldoutLoss: Double?
        /// General texts; null where they were not measured, which is so after a failure before.
        @NullWhenNil public var general: GeneralDrift?
        /// Replies to the person's own questions that were held out.
        @NullWhenNil public var ownReplies: ReplyProbe?
        /// Replies to everyday questions.
        @NullWhenNil public var replies: ReplyProbe?
        /// Harness tasks passed, of how many, and p of the paired test against the base model.
        @NullWhenNil public var harness: Score?

        /// Whether it passed.
        public var passes: Bool { reasons.isEmpty }
    }

    /// The harness, paired with the base model's.
    public struct Score: Sendable, Codable, Equatable {
        /// Tasks that the base model and the candidate pass, and all.
        public var passedBase, passed, total: Int
        /// Tasks that only the candidate passes, and only the base model.
        public var gained, lost: Int
        /// Two-sided p of McNemar's exact test.
        public var pValue: Double
        /// The same by category, in alphabetical order; nil of nights that did not write it down.
        public var categories: [Category]?

        /// The tasks of one category.
        public struct Category: Sendable, Codable, Equatable {
            /// `HarnessPrompt.Category`.
            public var name: String
            /// Tasks that the base model and the candidate pass, and all.
            public var passedBase, passed, total: Int

            /// Makes a category's score.
            package init(name: String, passedBase: Int, passed: Int, total: Int) {
                self.name = name
                self.passedBase = passedBase
                self.passed = passed
                self.total = total
            }
        }

        /// Makes a score.
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

    /// The candidates in the order in which they were tried; the last one decides.
    public var attempts: [Attempt] = []
    /// Replies of the base model.
    @NullWhenNil public var repliesBase: ReplyProbe?
    /// What judging took.
    public var seconds = 0.0

    /// The candidate that passed.
    public var accepted: Attempt? { attempts.last.flatMap { $0.passes ? $0 : nil } }
}

extension GateReport.Attempt {
    /// The figures in one line.
    var figures: String {
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
}
