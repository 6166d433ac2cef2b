import Foundation
import Testing

import CircadiaEvaluation
import CircadiaNight

@Suite("Gate limits")
struct GateLimitsTests {
    private let limits = GateLimits()

    @Test("The held-out loss may rise by 1% and must be finite")
    func heldOut() {
        #expect(limits.reasons(heldOut: 3.02, before: 3).isEmpty)
        #expect(limits.reasons(heldOut: nil, before: nil).isEmpty)
        #expect(
            limits.reasons(heldOut: 3.2, before: 3) == [.heldOutLossRose(before: 3, after: 3.2)])
        #expect(limits.reasons(heldOut: .nan, before: 3) == [.heldOutLossNotFinite])
        let noise = limits.reasons(heldOut: 6.2, before: 6.6)
        #expect(limits.reasons(asSaid: 6.2) == noise && limits.reasons(asSaid: nil).isEmpty)
        #expect(noise == [.heldOutLossAboveLimit(loss: 6.2, limit: 5)])
    }

    /// A drift that makes one kind's only token `change` nats less likely.
    private func drift(_ kind: GeneralText.Kind, change: Float) throws -> GeneralDrift {
        let logits: ([Float], [Float]) = ([0, 0, 0, 0], [-2 * change, 0, 0, 0])
        let pair = logits.0.withUnsafeBufferPointer { first in
            logits.1.withUnsafeBufferPointer { PredictionPair(first, $0, target: 0) }
        }
        return try #require(GeneralDrift([.init(kind: kind, pairs: [pair])]))
    }

    @Test("A candidate that forgets a kind of texts or diverges from the base does not pass")
    func general() throws {
        #expect(limits.reasons(try drift(.math, change: 0)).isEmpty)
        // The results of sums are few, so they may change by a tenth by chance.
        #expect(limits.reasons(try drift(.arithmetic, change: 0.1)).isEmpty)
        #expect(!limits.reasons(try drift(.math, change: 0.1)).isEmpty)
        let reasons = limits.reasons(try drift(.arithmetic, change: 1))
        #expect(
            reasons.count == 1
                && reasons[0].description.contains("perplexity of arithmetic texts rose"))
        #expect(!limits.reasons(try drift(.prose, change: .nan)).isEmpty)
        // Wrong sums do not lower the chance of right results that were unlikely before.
        let sums = limits.reasons(try drift(.arithmetic, change: -1.1))
        #expect(
            sums.count == 1 && sums[0].description.contains("KL divergence on arithmetic texts"))
        #expect(limits.reasons(try drift(.math, change: -1.1)).isEmpty)
        // The loss is lower, but the divergence is large.
        let far = limits.reasons(try drift(.prose, change: -5))
        #expect(far.count == 2 && far.allSatisfy { $0.description.contains("KL divergence") })
    }

    @Test("Replies are compared with the base model's")
    func replies() {
        let base = ReplyProbe((0..<10).map { "Answer number \($0) to a question." })
        #expect(limits.reasons(base, base: base).isEmpty)
        let same = ReplyProbe(Array(repeating: "Ask me again tomorrow.", count: 10))
        #expect(
            limits.reasons(same, base: base).contains { $0.description.contains("begin alike") })
        #expect(limits.reasons(same, base: same).isEmpty)
        let empty = ReplyProbe(Array(repeating: "", count: 10))
        #expect(limits.reasons(empty, base: base).contains { $0.description.contains("are empty") })
        let sorry = ReplyProbe((0..<10).map { "I'm sorry, I cannot answer number \($0)." })
        #expect(limits.reasons(sorry, base: base).contains { $0.description.contains("decline") })
        let circle = ReplyProbe((0..<10).map { "\($0) " + String(repeating: "tea ", count: 30) })
        #expect(
            limits.reasons(circle, base: base).contains { $0.description.contains("are repeated") })
    }

    @Test("Replies to the person's own questions must not all be alike")
    func ownReplies() {
        let two = ["Tomorrow.", "Tomorrow.", "Yes.", "No."]
        #expect(limits.reasons(own: ReplyProbe(two)).isEmpty)
        #expect(limits.reasons(own: ReplyProbe(two + ["Tomorrow.", "Tomorrow."])).count == 1)
        #expect(limits.reasons(own: ReplyProbe(["", "", "", "Yes."])).count == 1)
        #expect(limits.reasons(own: ReplyProbe(["No.", "No."])).isEmpty)
    }

    @Test("The harness may fall only by chance")
    func harness() {
        func score(gained: Int, lost: Int) -> Verdict.HarnessResult {
            Verdict.HarnessResult(
                passedBase: 60, passed: 60 + gained - lost, total: 105, gained: gained, lost: lost,
                pValue: Statistics.signTest(gains: gained, losses: lost))
        }
        #expect(limits.reasons(score(gained: 3, lost: 8)).isEmpty)
        #expect(limits.reasons(score(gained: 20, lost: 2)).isEmpty)
        let reasons = limits.reasons(score(gained: 2, lost: 14))
        #expect(reasons.count == 1 && reasons[0].description.contains("60 → 48 of 105"))
    }
}
