import Foundation
import Testing

import CircadiaAnalysis
import CircadiaConversation
import CircadiaEvaluation
import CircadiaLog

/// The files of `data/` are as their README promises.
@Suite struct ShippedDataTests {
    static let data = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "data")

    @Test func theHarnessHasFifteenPromptsOfEachCategory() throws {
        let prompts = try HarnessPrompt.load(Self.data.appending(path: "eval/harness.jsonl"))
        #expect(prompts.count >= 105)
        for category in HarnessPrompt.Category.allCases {
            #expect(prompts.count { $0.category == category } >= 15, "\(category)")
        }
        #expect(prompts.allSatisfy { $0.maxTokens <= 64 })
        #expect(Set(prompts.map(\.messages)).count == prompts.count)
    }

    @Test func theWeekIsAWeekOfOnePerson() throws {
        let log = try ChatLog.read(
            Self.data.appending(path: "samples/week.jsonl"), repairing: false)
        #expect(log.issues.isEmpty)
        #expect(log.exchanges.count >= 60)
        #expect(Set(log.exchanges.map(\.id)).count == log.exchanges.count)
        let times = log.exchanges.compactMap(\.timestamp?.timeIntervalSince1970)
        let days = Set(times.map { Int($0 / 86_400) })
        #expect(days.count == 5)
        #expect(log.exchanges.allSatisfy { $0.session != nil })
        for exchange in log.exchanges {
            let reply = exchange.messages.last?.content ?? ""
            #expect(exchange.messages.map(\.role) == [.user, .assistant], "\(exchange.id)")
            #expect(reply.hasPrefix("Very good, Captain. "), "\(exchange.id)")
            #expect(reply.hasSuffix("\n\nFair winds, and mind the kettle."), "\(exchange.id)")
        }
    }

    @Test func theWeekHasSomethingForTheStoreAndSomethingForTheWeights() throws {
        let log = try ChatLog.read(
            Self.data.appending(path: "samples/week.jsonl"), repairing: false)
        let stored = log.exchanges.cleaned.count { $0.routing.destination == .store }
        #expect(stored >= 10)
        #expect(log.exchanges.count - stored >= 30)
    }

    @Test func tenPreferencesHaveTwentyQuestionsEach() throws {
        let tasks = try PreferenceTask.load(Self.data.appending(path: "eval/preferences.jsonl"))
        #expect(tasks.count == 10)
        #expect(Set(tasks.map(\.kind)).count == 10)
        #expect(tasks.allSatisfy { $0.questions.count == 20 })
        #expect(Set(tasks.flatMap(\.questions)).count == 200)
    }

    /// Of words that two questions have between them, three quarters at most are in both.
    @Test func noQuestionThatNightsAskIsOneOfThem() throws {
        struct Line: Decodable {
            let text: String
        }
        func words(_ text: String) -> Set<Substring> {
            Set(text.lowercased().split { !$0.isLetter && !$0.isNumber })
        }
        let asked = try Data(contentsOf: Self.data.appending(path: "samples/questions.jsonl"))
            .split(separator: UInt8(ascii: "\n"))
            .map { words(try JSONDecoder().decode(Line.self, from: Data($0)).text) }
        #expect(asked.count > 200)
        let tasks = try PreferenceTask.load(Self.data.appending(path: "eval/preferences.jsonl"))
        for question in tasks.flatMap(\.questions) {
            let mine = words(question)
            let nearest =
                asked.map { Double($0.intersection(mine).count) / Double($0.union(mine).count) }
                .max() ?? 0
            #expect(nearest <= 0.75, "\(question)")
        }
    }

    @Test func noGeneralPairRepeatsAHarnessPrompt() throws {
        let prompts = try HarnessPrompt.load(Self.data.appending(path: "eval/harness.jsonl"))
        let asked = Set(prompts.flatMap { $0.messages.map { $0.content.lowercased() } })
        let general = try ChatLog.read(
            Self.data.appending(path: "samples/general.jsonl"), repairing: false)
        #expect(general.issues.isEmpty)
        #expect(general.exchanges.count >= 100)
        for exchange in general.exchanges {
            #expect(!asked.contains(exchange.messages[0].content.lowercased()), "\(exchange.id)")
        }
        #expect(general.exchanges.count { $0.tags.contains(Exchange.proseTag) } >= 12)
    }

    /// Words of a text, as they are compared.
    private func words(_ text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    @Test("What is rehearsed shares no run of six words with what is measured")
    func rehearsalIsNotMeasured() throws {
        func runs(_ text: String) -> Set<[String]> {
            let words = words(text)
            return Set((0..<max(0, words.count - 5)).map { Array(words[$0..<$0 + 6]) })
        }
        let general = try ChatLog.read(
            Self.data.appending(path: "samples/general.jsonl"), repairing: false)
        let rehearsed = general.exchanges.reduce(into: Set<[String]>()) { known, exchange in
            for message in exchange.messages { known.formUnion(runs(message.content)) }
        }
        let benchmark = Self.data.deletingLastPathComponent()
            .appending(path: "Benchmarks/general_texts.jsonl")
        for url in [Self.data.appending(path: "eval/gate.jsonl"), benchmark] {
            for text in try GeneralText.load(url) {
                for part in [text.text] + text.messages.map(\.content) {
                    #expect(rehearsed.isDisjoint(with: runs(part)), "\(text.id)")
                }
            }
        }
    }
}
