import Foundation
import Testing

import CircadiaEvaluation

@Suite("Gate measures")
struct GateMeasuresTests {
    @Test("Replies: empty, declining, alike and repeating ones are counted")
    func replies() {
        let probe = ReplyProbe([
            "", "I'm sorry, I can't do that.", "Tea. Tea. Tea. Tea. Tea. Tea.", "Rome.",
            "rome!", " \n",
        ])
        #expect(probe.replies == 6)
        #expect(probe.empty == 2)
        #expect(probe.refusals == 1)
        #expect(probe.alike == 2)
        // Of the 3 + 3 runs of four words, two repeat "tea tea tea tea".
        #expect(abs(probe.repeatedShare - 2.0 / 6) < 1e-12)
        let fine = ReplyProbe(["One two three four five.", "Another answer."])
        #expect(fine.empty == 0 && fine.alike == 1 && fine.repeatedShare == 0)
    }

    @Test("Only what follows the first twelve words may make replies different")
    func openings() {
        let opening = "Very good, Captain, here is what I can say about it today:"
        #expect(ReplyProbe([opening + " tea.", opening + " bread."]).alike == 2)
        #expect(ReplyProbe(["Very good. Tea.", "Very good. Bread."]).alike == 1)
    }

    private func pair(_ first: [Float], _ second: [Float], target: Int32) -> PredictionPair {
        first.withUnsafeBufferPointer { first in
            second.withUnsafeBufferPointer { PredictionPair(first, $0, target: target) }
        }
    }

    @Test("Drift: perplexity by kind, divergence over all, texts counted by their sign")
    func drift() throws {
        let half = pair([0, 0], [0, 0], target: 0)
        let likelier = pair([0, 0], [log(3), 0], target: 0)
        let unlikelier = pair([0, 0], [log(3), 0], target: 1)
        let drift = try #require(
            GeneralDrift([
                .init(kind: .math, pairs: [half, likelier]),
                .init(kind: .math, pairs: [unlikelier, unlikelier]),
                .init(kind: .prose, pairs: [half]),
            ]))
        #expect(drift.kinds.map(\.kind) == ["math", "prose"])
        let math = drift.kinds[0]
        #expect(math.tokens == 4 && math.better == 1 && math.worse == 1)
        #expect(abs(math.lossBase - log(2)) < 1e-6)
        // ln 2, ln 4/3, ln 4, ln 4.
        #expect(abs(math.loss - (log(2) + log(4.0 / 3) + 2 * log(4)) / 4) < 1e-6)
        #expect(abs(math.perplexityChange - (exp(math.loss - math.lossBase) - 1)) < 1e-12)
        let moved = 0.5 * log(0.5 / 0.75) + 0.5 * log(0.5 / 0.25)
        #expect(abs(drift.divergence - 3 * moved / 5) < 1e-6)
        #expect(drift.kinds[1].perplexityChange == 0)
        #expect(GeneralDrift([.init(kind: .math, pairs: [])]) == nil)
    }

    @Test("Lines that fit no kind are named")
    func badLines() throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("gate-\(UUID().uuidString).jsonl")
        defer { try? FileManager.default.removeItem(at: url) }
        let good = #"{"id":"a","kind":"prose","text":"Once upon a time."}"#
        for bad in [
            #"{"id":"b","kind":"prose"}"#, #"{"id":"b","kind":"songs","text":"x"}"#,
            #"{"id":"b","kind":"math","messages":[{"role":"user","content":"x"}]}"#,
            #"{"id":"b","kind":"reply","messages":[{"role":"poet","content":"x"}]}"#, "{",
        ] {
            try Data((good + "\n" + bad + "\n").utf8).write(to: url)
            let error = #expect(throws: EvaluationError.self) { try GeneralText.load(url) }
            #expect(error?.description.contains("line 2") == true)
        }
        try Data((good + "\n\n").utf8).write(to: url)
        #expect(try GeneralText.load(url).map(\.text) == ["Once upon a time."])
    }

    @Test("The shipped texts load, and no night trains on them nor the harness asks them")
    func shipped() throws {
        let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("data")
        let texts = try GeneralText.load(data.appendingPathComponent("eval/gate.jsonl"))
        #expect(Set(texts.map(\.id)).count == texts.count)
        for kind in GeneralText.Kind.allCases {
            #expect(texts.count { $0.kind == kind } >= 8, "\(kind)")
        }
        for file in ["samples/general.jsonl", "samples/week.jsonl", "eval/harness.jsonl"] {
            let known = try String(contentsOf: data.appendingPathComponent(file), encoding: .utf8)
            for text in texts {
                let words = text.kind == .prose ? text.text : text.messages[0].content
                #expect(!known.contains("\"\(words)\""), "\(file): \(text.id)")
            }
        }
    }
}
