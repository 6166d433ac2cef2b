import CircadiaEvaluation
import Foundation

/// How a candidate was judged.
package struct GateReport: Sendable, Codable, Equatable {
    /// One candidate: the night's step, or a part of it.
    package struct Attempt: Sendable, Codable, Equatable {
        /// The share of the night's step.
        package var share: Double
        /// Why it did not pass, a sentence each; empty where it did.
        package var reasons: [String] = []
        /// Loss on the held-out conversations, nats a token.
        @NullWhenNil package var heldoutLoss: Double?
        /// General texts; null where they were not measured, which is so after a failure before.
        @NullWhenNil package var general: GeneralDrift?
        /// Replies to the person's own questions that were held out.
        @NullWhenNil package var ownReplies: ReplyProbe?
        /// Replies to everyday questions.
        @NullWhenNil package var replies: ReplyProbe?
        /// Harness tasks passed, of how many, and p of the paired test against the base model.
        @NullWhenNil package var harness: Score?

        /// Whether it passed.
        package var passes: Bool { reasons.isEmpty }
    }

    /// The harness, paired with the base model's.
    package struct Score: Sendable, Codable, Equatable {
        /// Tasks that the base model and the candidate pass, and all.
        package var passedBase, passed, total: Int
        /// Tasks that only the candidate passes, and only the base model.
        package var gained, lost: Int
        /// Two-sided p of McNemar's exact test.
        package var pValue: Double
        /// The same by category, in alphabetical order; nil of nights that did not write it down.
        package var categories: [Category]?

        /// The tasks of one category.
        package struct Category: Sendable, Codable, Equatable {
            /// `HarnessPrompt.Category`.
            package var name: String
            /// Tasks that the base model and the candidate pass, and all.
            package var passedBase, passed, total: Int

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
    package var attempts: [Attempt] = []
    /// Replies of the base model.
    @NullWhenNil package var repliesBase: ReplyProbe?
    /// What judging took.
    package var seconds = 0.0

    /// The candidate that passed.
    package var accepted: Attempt? { attempts.last.flatMap { $0.passes ? $0 : nil } }
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
