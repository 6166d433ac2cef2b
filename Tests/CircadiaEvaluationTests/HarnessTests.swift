import CircadiaTestSupport
import Foundation
import Testing

import CircadiaConversation
import CircadiaEvaluation

/// Answers from a list, and finds the option "right" the likeliest.
private struct Parrot: HarnessSubject {
    var replies: [String: String]

    func reply(to messages: [ChatMessage], maxTokens: Int) throws -> String {
        replies[messages.last?.content ?? ""] ?? ""
    }

    func likelihoods(of options: [String], after messages: [ChatMessage]) throws -> [Double] {
        options.map { $0 == "right" ? -0.5 : -Double($0.count) }
    }
}

@Suite struct HarnessTests {
    static func prompt(
        _ id: String, _ category: HarnessPrompt.Category, _ judge: HarnessPrompt.Judge
    ) -> HarnessPrompt {
        HarnessPrompt(
            id: id, category: category, messages: [ChatMessage(role: .user, content: id)],
            judge: judge)
    }

    static let prompts = [
        prompt("m1", .math, .numeric(NumericScorer(answer: 4))),
        prompt("m2", .math, .numeric(NumericScorer(answer: 5))),
        prompt("s1", .style, .formatBullets(BulletScorer(count: 1))),
        prompt(
            "r1", .reasoning, .multipleChoice(MultipleChoice(options: ["no", "right"], answer: 1))),
        prompt(
            "r2", .reasoning, .multipleChoice(MultipleChoice(options: ["no", "right"], answer: 0))),
    ]

    static func run(_ replies: [String: String]) throws -> HarnessReport {
        try Harness(subject: Parrot(replies: replies)).run(prompts)
    }

    @Test func judgesEachPromptAndCountsByCategory() throws {
        var seen: [Int] = []
        let report = try Harness(subject: Parrot(replies: ["m1": "= 4", "m2": "= 4", "s1": "- x"]))
            .run(Self.prompts) { done, total in
                #expect(total == 5)
                seen.append(done)
            }
        #expect(seen == [1, 2, 3, 4, 5])
        #expect(report.results.map(\.passed) == [true, false, true, true, false])
        #expect(report.results[3].reply == "right")
        #expect(report.results[3].likelihoods == [-2, -0.5])
        let summary = report.summary(tag: "t", model: "m", adapter: nil, codeVersion: "1")
        #expect(summary.passed == 3 && summary.total == 5 && summary.rate == 0.6)
        #expect(summary.categories["math"]?.passed == 1)
        #expect(summary.categories["math"]?.total == 2)
        #expect(summary.categories["style"]?.rate == 1)
        #expect(summary.categories["context"] == nil)
    }

    @Test func theSummaryHasItsFields() throws {
        let summary = try Self.run([:]).summary(
            tag: "t", model: "m", adapter: nil, codeVersion: "1")
        let data = try JSONEncoder().encode(summary)
        let object = try #require(
            try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(
            object.keys.sorted() == [
                "adapter", "categories", "ci95", "code_version", "model", "passed", "rate",
                "seconds", "tag", "total",
            ])
        #expect(try JSONDecoder().decode(HarnessSummary.self, from: data) == summary)
    }

    @Test func resultsAreOneLineEach() throws {
        try TemporaryFolder.with { folder in
            let url = folder.appending(path: "logs/results.jsonl")
            let report = try Self.run(["m1": "a\nb"])
            try report.writeResults(to: url)
            try report.writeResults(to: url)
            let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
            let results = try lines.map {
                try JSONDecoder().decode(HarnessResult.self, from: Data($0.utf8))
            }
            #expect(results == report.results)
        }
    }

    @Test func comparesPromptByPrompt() throws {
        let comparison = HarnessComparison(
            before: try Self.run(["m1": "4", "s1": "- x"]),
            after: try Self.run(["m2": "5", "s1": "- x"]))
        #expect(comparison.gained == ["m2"])
        #expect(comparison.lost == ["m1"])
        #expect(comparison.pValue == 1)
    }
}
