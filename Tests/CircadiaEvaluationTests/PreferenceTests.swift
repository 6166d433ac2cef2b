import Foundation
import Testing

import CircadiaConversation
import CircadiaEvaluation

/// Shares of answers that show a preference.
@Suite struct PreferenceTests {
    private static let short = PreferenceTask(
        id: "short", kind: "length", statement: "Be brief.", shows: PreferenceScorer(maxWords: 2),
        questions: ["Why?", "How?"])

    /// Answers with the number of messages that it was given.
    private final class Counter: HarnessSubject {
        var prompts: [[ChatMessage]] = []
        func reply(to messages: [ChatMessage], maxTokens: Int) throws -> String {
            prompts.append(messages)
            return prompts.count.isMultiple(of: 2) ? "Two words" : "These are three"
        }
        func likelihoods(of options: [String], after messages: [ChatMessage]) throws -> [Double] {
            []
        }
    }

    @Test func aReplyPassesWhereAllConditionsHold() throws {
        let scorer = PreferenceScorer(all: [#"(?i)^ahoy"#], none: ["mile"], maxWords: 4)
        #expect(scorer.passes("Ahoy! Two km."))
        #expect(!scorer.passes("Well, ahoy."))
        #expect(!scorer.passes("Ahoy! A mile."))
        #expect(!scorer.passes("Ahoy! One two three four."))
        #expect(!PreferenceScorer(maxWords: 4).passes(" "))
    }

    @Test func theShippedScorersTellAnswersApart() throws {
        let tasks = try PreferenceTask.load(
            ShippedDataTests.data.appending(path: "eval/preferences.jsonl"))
        let cases: [(id: String, good: String, bad: String)] = [
            ("short", "It is late.", String(repeating: "word ", count: 26)),
            ("greeting", "Ahoy! It is late.", "It is late. Ahoy!"),
            ("signoff", "It is late. Fair winds!", "Fair winds! It is late."),
            ("question", "It is late. Are you tired?", "Are you tired? It is late."),
            ("name", "Yes, Captain.", "Yes."), ("bullets", "So:\n- a\n- b", "- a"),
            ("metric", "It is 300 m tall.", "It is 984 feet (300 m) tall."),
            ("swift", "```swift\nlet a = 1\n```", "```python\na = 1\n```"),
            ("emoji", "Yes 🌱", "Yes :)"),
            ("example", "A saying, for example “Haste makes waste”.", "A saying."),
        ]
        #expect(cases.map(\.id) == tasks.map(\.id))
        for (task, answers) in zip(tasks, cases) {
            #expect(task.shows.passes(answers.good), "\(task.id)")
            #expect(!task.shows.passes(answers.bad), "\(task.id)")
        }
    }

    @Test(arguments: PreferenceTask.Prompt.allCases)
    func aQuestionFindsThePreferenceWhereItIsWanted(prompt: PreferenceTask.Prompt) throws {
        let subject = Counter()
        let report = try PreferenceReport.measure(
            [Self.short], prompt: prompt, subject: subject, maxTokens: 8)
        let last = try #require(subject.prompts.last)
        #expect(last.last?.content == "How?")
        switch prompt {
        case .absent: #expect(last.count == 1)
        case .system:
            #expect(last.map(\.role) == [.system, .user])
            #expect(last[0].content.hasSuffix("Be brief."))
        case .chat:
            #expect(last.map(\.role) == [.user, .assistant, .user])
            #expect(last[0].content == "Be brief.")
        }
        #expect(report.preferences[0].score.passed == 1)
        #expect(report.share == 0.5)
    }

    @Test func aBadLineIsNamed() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "preferences.jsonl")
        func load(_ line: String) throws {
            try Data((line + "\n").utf8).write(to: file)
            _ = try PreferenceTask.load(file)
        }
        let start = #"{"id":"a","kind":"k","statement":"s","#
        try load(start + #""shows":{"max_words":3},"questions":["q"]}"#)
        for rest in [
            #""shows":{"max_words":3},"questions":[]}"#, #""shows":{},"questions":["q"]}"#,
            #""shows":{"all":["("]},"questions":["q"]}"#, #""questions":["q"]}"#,
        ] {
            #expect(throws: EvaluationError.self) { try load(start + rest) }
        }
    }
}
