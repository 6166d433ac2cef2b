import CircadiaTestSupport
import Foundation
import Testing

import CircadiaAnalysis
import CircadiaLog

/// How well corrections are told from other talk, on lines written for this project: question, reply and
/// the message after it. Patterns were tuned on lines of odd numbers only.
@Suite("Corrections")
struct CorrectionTests {
    private struct Case {
        let question, reply, message: String
        let number: Int

        var kind: CorrectionKind? {
            CorrectionDetector.kind(of: message, after: question, reply: reply)
        }
    }

    private static func cases(_ name: String) throws -> [Case] {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/Corrections/\(name).tsv")
        return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").enumerated()
            .map { index, line in
                let parts = line.split(separator: "\t").map {
                    $0.replacingOccurrences(of: "\\n", with: "\n")
                }
                return Case(
                    question: parts[0], reply: parts[1], message: parts[2], number: index + 1)
            }
    }

    @Test("There are 60 corrections and 150 other messages at least")
    func sizes() throws {
        #expect(try Self.cases("positive").count >= 60)
        #expect(try Self.cases("negative").count >= 150)
    }

    @Test(
        "Precision is at least 0.95, and of what was not tuned on most is found",
        arguments: [(1, 0.88), (0, 0.73)])
    func measured(parity: Int, recall least: Double) throws {
        let positive = try Self.cases("positive").filter { $0.number % 2 == parity }
        let negative = try Self.cases("negative").filter { $0.number % 2 == parity }
        let missed = positive.filter { $0.kind == nil }
        let wrong = negative.filter { $0.kind != nil }
        let found = positive.count - missed.count
        let precision = Double(found) / Double(max(1, found + wrong.count))
        let recall = Double(found) / Double(positive.count)
        print(
            "corrections, \(parity == 1 ? "tuned on" : "held out"): \(found) of \(positive.count) "
                + "found, \(wrong.count) of \(negative.count) wrong; precision \(precision), "
                + "recall \(recall)")
        #expect(precision >= 0.95, "\(wrong.map(\.message))")
        #expect(recall >= least, "\(missed.map(\.message))")
    }

    @Test("Of a question once more, names, numbers and the order of words count")
    func repeated() {
        func isRepeated(_ first: String, _ second: String, after seconds: Double? = 20) -> Bool {
            CorrectionDetector.kind(
                of: second, after: first, reply: "I do not know.", seconds: seconds) == .askedAgain
        }
        let question = "What is the capital of Peru?"
        #expect(isRepeated(question, question))
        #expect(isRepeated("What is the captial of Peru?", "so what is the capital of peru"))
        #expect(!isRepeated(question, "What is the capital of Spain?"))
        #expect(!isRepeated(question, question, after: 7200))
        #expect(!isRepeated("What is 17 times 6?", "What is 17 times 7?"))
        #expect(!isRepeated("How do I get from Bonn to Ghent?", "How do I get from Ghent to Bonn?"))
        #expect(!isRepeated("Tell me a joke?", "Tell me a joke?"))
        #expect(!isRepeated("yes please", "yes please"))
    }

    @Test("A long message takes no longer than it is long")
    func speed() {
        let long = String(repeating: "not the one, but no it's it was too ", count: 20_000)
        #expect(CorrectionDetector.kind(of: long, after: long, reply: long) != .askedAgain)
    }

    private static let talkFolder =
        Surroundings.runsEverything ? Surroundings.conversations : nil

    @Test(
        "People who talk to each other are hardly ever taken for correcting",
        .enabled(
            if: talkFolder != nil, "takes minutes; make test-all runs it where LoCoMo is at hand"))
    func talk() throws {
        let folder = try #require(Self.talkFolder)
        var found = 0
        var count = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
        where name.hasPrefix("memories-") {
            let log = try ChatLog.read(folder.appendingPathComponent(name), repairing: false)
                .exchanges
            let lessons = Lessons(log)
            count += log.count
            for (exchange, lesson) in zip(log, lessons.all) {
                for reply in lesson.replies where reply.corrects != nil {
                    found += 1
                    print(
                        "taken for a correction: \(exchange.id) \(reply.corrects?.kind.rawValue ?? "")"
                    )
                }
            }
        }
        print("corrections in talk: \(found) of \(count)")
        #expect(Double(found) <= 0.01 * Double(count))
    }
}
