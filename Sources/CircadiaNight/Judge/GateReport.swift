import CircadiaEvaluation
import CircadiaFiles
import Foundation

/// A gated verdict as it is in files and in JSON output, with its reasons as sentences.
///
/// This is a file format: its keys are those of version 0.1.0.
package struct GateReport: Sendable, Codable, Equatable {
    /// One candidate: the night's step, or a share of it.
    package struct Attempt: Sendable, Codable, Equatable {
        /// The share of the night's step.
        package var share: Double
        /// The reasons against it, a sentence each; empty if it passed.
        package var reasons: [String]
        /// Loss on the held-out conversations, in nats a token. On disk the key is `heldoutLoss`.
        @NullWhenNil package var heldoutLoss: Double?
        /// The drift on general texts; null if it was not measured.
        @NullWhenNil package var general: GeneralDrift?
        /// Replies to the person's own questions.
        @NullWhenNil package var ownReplies: ReplyProbe?
        /// Replies to everyday questions.
        @NullWhenNil package var replies: ReplyProbe?
        /// The harness results, paired with the base model's.
        @NullWhenNil package var harness: Verdict.HarnessResult?
    }

    /// The candidates in the order in which they were tried; the last one decides.
    package var attempts: [Attempt]
    /// Replies of the base model.
    @NullWhenNil package var repliesBase: ReplyProbe?
    /// Seconds that judging took.
    package var seconds: Double

    /// The report of a verdict; nil if no gate judged.
    package init?(_ verdict: Verdict) {
        guard verdict.isGated else { return nil }
        attempts = verdict.attempts.map { attempt in
            Attempt(
                share: attempt.share, reasons: attempt.reasons.map(\.description),
                heldoutLoss: attempt.heldOutLoss, general: attempt.general,
                ownReplies: attempt.ownReplies, replies: attempt.replies, harness: attempt.harness)
        }
        repliesBase = verdict.repliesBase
        seconds = verdict.seconds
    }

    /// Reads the report of a manifest; nil if `json` is not a report.
    package init?(json: JSONValue) {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        guard let data = try? JSONEncoder().encode(json),
            let report = try? decoder.decode(GateReport.self, from: data)
        else { return nil }
        self = report
    }

    /// The report in the form that a manifest keeps.
    package var json: JSONValue? {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return (try? encoder.encode(self)).flatMap {
            try? JSONDecoder().decode(JSONValue.self, from: $0)
        }
    }
}

extension Verdict {
    /// A verdict that was read from a file.
    ///
    /// - Parameters:
    ///   - report: the verdict in the file; its sentences become `RejectionReason.recorded`.
    ///   - heldOutLossBefore: loss on the held-out conversations before the night.
    package init(_ report: GateReport, heldOutLossBefore: Double?) {
        self.init(
            isGated: true, heldOutLossBefore: heldOutLossBefore,
            attempts: report.attempts.map { attempt in
                var result = Attempt(share: attempt.share)
                result.reasons = attempt.reasons.map(RejectionReason.recorded)
                result.heldOutLoss = attempt.heldoutLoss
                result.general = attempt.general
                result.ownReplies = attempt.ownReplies
                result.replies = attempt.replies
                result.harness = attempt.harness
                return result
            }, repliesBase: report.repliesBase, seconds: report.seconds)
    }
}
