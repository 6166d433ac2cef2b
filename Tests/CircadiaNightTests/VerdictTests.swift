import CircadiaFiles
import CircadiaTestSupport
import Foundation
import Testing

import CircadiaEvaluation
import CircadiaNight

/// Tests the text of a verdict and its form in files.
@Suite("Verdict")
struct VerdictTests {
    private static func attempt(
        share: Double = 1, heldOut: Double? = 1.2, reasons: [RejectionReason] = []
    ) -> Verdict.Attempt {
        var attempt = Verdict.Attempt(share: share)
        attempt.heldOutLoss = heldOut
        attempt.reasons = reasons
        return attempt
    }

    private static func verdict(
        _ attempts: Verdict.Attempt..., isGated: Bool = true, before: Double? = 1.25
    ) -> Verdict {
        Verdict(isGated: isGated, heldOutLossBefore: before, attempts: attempts, seconds: 2)
    }

    private static let reasons: [(RejectionReason, String)] = [
        (.heldOutLossNotFinite, "the held-out loss is not finite"),
        (.heldOutLossRose(before: 3, after: 3.2), "held-out loss rose, 3.000 → 3.200"),
        (
            .heldOutLossAboveLimit(loss: 6.2, limit: 5),
            "held-out loss is 6.200 nats a token even after training (at most 5): the log is noise"
        ),
        (
            .perplexityRose(kind: "math", rise: 0.105, limit: 0.05),
            "perplexity of math texts rose by 10% (at most 5%)"
        ),
        (
            .divergence(kind: "arithmetic", nats: 1.014, limit: 0.4),
            "KL divergence on arithmetic texts 1.01 nats a token (at most 0.4)"
        ),
        (
            .divergence(kind: nil, nats: 0.9668, limit: 0.6),
            "KL divergence from the base model 0.97 nats a token (at most 0.60)"
        ),
        (
            .replies(.refusal, count: 9, total: 10, base: 1),
            "9 of 10 replies decline (base model 1)"
        ),
        (
            .ownReplies(.alike, count: 4, total: 6),
            "4 of 6 replies to your own questions begin alike"
        ),
        (
            .repeatedWords(share: 0.8, base: 0.1),
            "80% of the words in replies are repeated (base model 10%)"
        ),
        (
            .harnessFell(before: 60, after: 48, total: 105, pValue: 0.004),
            "the harness fell, 60 → 48 of 105 (p 0.004)"
        ),
        (.recorded("it was Tuesday"), "it was Tuesday"),
    ]

    @Test("Every reason has its sentence")
    func sentences() {
        for (reason, sentence) in Self.reasons { #expect(reason.description == sentence) }
    }

    @Test("A candidate passes if there is no reason against it")
    func decision() {
        #expect(Self.verdict(Self.attempt()).isAccepted)
        let rejected = Self.verdict(
            Self.attempt(reasons: [.heldOutLossNotFinite]),
            Self.attempt(
                share: 0.5, reasons: [.harnessFell(before: 2, after: 1, total: 3, pValue: 0)]))
        #expect(!rejected.isAccepted && rejected.heldOutLossAfter == 1.2)
        let half = Self.verdict(
            Self.attempt(heldOut: 1.5, reasons: [.heldOutLossRose(before: 1.25, after: 1.5)]),
            Self.attempt(share: 0.5, heldOut: 1.1))
        #expect(half.accepted?.share == 0.5 && half.heldOutLossAfter == 1.1)
        #expect(!Self.verdict().isAccepted)
    }

    @Test("The verdict is one sentence")
    func description() {
        #expect(Self.verdict(Self.attempt()).description == "promoted: held-out loss 1.250 → 1.200")
        #expect(
            Self.verdict(Self.attempt(share: 0.75)).description
                == "promoted at 0.75 of the night's step: held-out loss 1.250 → 1.200")
        #expect(
            Self.verdict(Self.attempt(heldOut: nil), before: nil).description
                == "promoted: the log is too short to hold anything out")
        #expect(
            Self.verdict(Self.attempt(), isGated: false).description
                == "promoted without a gate: held-out loss 1.250 → 1.200")
        let none: [RejectionReason] = [.heldOutLossNotFinite]
        #expect(
            Self.verdict(Self.attempt(heldOut: .nan, reasons: none), isGated: false).description
                == "rejected: the held-out loss is not finite")
        let two = none + [.recorded("a second reason")]
        #expect(
            Self.verdict(Self.attempt(reasons: two)).description
                == "rejected: the held-out loss is not finite; a second reason; yesterday's adapter "
                + "stays")
    }

    @Test("A record keeps reasons with their figures, including infinite ones")
    func record() throws {
        let encoder = JSONEncoder()
        let decoder = JSONDecoder()
        for (reason, _) in Self.reasons {
            let verdict = Self.verdict(Self.attempt(reasons: [reason]))
            let read = try decoder.decode(Verdict.self, from: encoder.encode(verdict))
            #expect(read == verdict)
        }
    }

    @Test("A file has the keys of 0.1.0 and keeps reasons as sentences")
    func file() throws {
        let verdict = Self.verdict(
            Self.attempt(reasons: [Self.reasons[1].0]), Self.attempt(share: 0.75))
        let json = try #require(GateReport(verdict)?.json)
        let first = try #require(json["attempts"]?.arrayValue?.first)
        #expect(
            Set(first.objectValue?.keys ?? []) == [
                "share", "reasons", "heldoutLoss", "general", "ownReplies", "replies", "harness",
            ])
        #expect(first["reasons"] == .array([.string(Self.reasons[1].1)]))
        #expect(first["general"] == .null)
        let report = try #require(GateReport(json: json))
        let read = Verdict(report, heldOutLossBefore: 1.25)
        #expect(read.attempts[0].reasons == [.recorded(Self.reasons[1].1)])
        #expect(read.description == verdict.description && read.isAccepted)
        #expect(GateReport(read) == GateReport(verdict))
        #expect(GateReport(Self.verdict(Self.attempt(), isGated: false)) == nil)
    }

    @Test("The digest of a gate's material depends on its content")
    func digest() {
        func material(_ text: String, pattern: String = "a") throws -> GateMaterial {
            GateMaterial(
                texts: [GeneralText(id: "t", kind: .prose, messages: [], text: text)],
                prompts: [
                    HarnessPrompt(
                        id: "p", category: .math, messages: [],
                        judge: .formatBullets(BulletScorer(count: pattern.count)))
                ])
        }
        #expect(throws: Never.self) {
            let first = try material("one").digest
            #expect(try first == material("one").digest)
            #expect(try first != material("two").digest)
            #expect(try first != material("one", pattern: "ab").digest)
        }
    }
}
