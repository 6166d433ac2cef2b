import CircadiaTestSupport
import Foundation
import Testing

import CircadiaConversation
import CircadiaEvaluation
import CircadiaModel

@Suite struct LossTests {
    static func exchange(_ id: String, tokens: Int) -> Exchange {
        Exchange(
            id: id,
            messages: [
                ChatMessage(role: .user, content: "q"),
                ChatMessage(role: .assistant, content: String(repeating: "a", count: tokens)),
            ])
    }

    /// One token a letter; a reply of n letters costs n nats a token.
    static var evaluator: ChatLossEvaluator {
        ChatLossEvaluator { messages in
            let count = messages.last?.content.count ?? 0
            return ScoredLoss(nats: Double(count * count), tokens: count)
        }
    }

    @Test func aTokenCountsTheSameWhereverItIs() throws {
        var seen: [Int] = []
        let exchanges = [("x", 1), ("y", 0), ("z", 3)].map { Self.exchange($0, tokens: $1) }
        let report = try Self.evaluator.evaluate(exchanges) { done, _ in seen.append(done) }
        #expect(seen == [1, 2, 3])
        #expect(report.tokens == 4)
        #expect(report.loss == 2.5)
        #expect(report.perplexity == exp(2.5))
        #expect(
            report.samples == [
                .init(id: "x", loss: 1, tokens: 1), .init(id: "y", loss: 0, tokens: 0),
                .init(id: "z", loss: 3, tokens: 3),
            ])
    }

    @Test func nothingToScoreIsAnError() {
        #expect(throws: EvaluationError.nothingToScore(exchanges: 1)) {
            try Self.evaluator.evaluate([Self.exchange("x", tokens: 0)])
        }
    }

    @Test func theTableGrowsUnderOneHeader() throws {
        try TemporaryFolder.with { folder in
            let url = folder.appending(path: "logs/loss.csv")
            let first = try Self.evaluator.evaluate([Self.exchange("a,\"b\"", tokens: 2)])
            let second = try Self.evaluator.evaluate([Self.exchange("c", tokens: 1)])
            try LossTable.append(first, tag: "day1-pre", to: url)
            try LossTable.append(second, tag: "day1-post", to: url)
            #expect(
                try String(contentsOf: url, encoding: .utf8) == """
                    tag,id,loss,tokens
                    day1-pre,"a,""b\""",2.000000,2
                    day1-post,c,1.000000,1

                    """)
            let mode = try FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions]
            #expect(mode as? Int == 0o600)
        }
    }

    @Test func aTableThatCannotBeWrittenIsNamed() throws {
        let report = try Self.evaluator.evaluate([Self.exchange("c", tokens: 1)])
        let url = URL(fileURLWithPath: "/dev/null/loss.csv")
        #expect(
            throws: EvaluationError.resultNotWritten(
                path: url.path, reason: "its folder cannot be made")
        ) {
            try LossTable.append(report, tag: "t", to: url)
        }
    }
}
