import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFiles
import circadia

/// Keeps a night's measures of the base model for the nights of later tests.
private enum BaseMeasuresFile {
    private static let lock = NSLock()
    nonisolated(unsafe) private static var known: Data?

    private static func url(_ folder: Program.Folder) -> URL {
        folder.url.appendingPathComponent("adapters/base_measures.json")
    }

    static func lend(to folder: Program.Folder) throws {
        guard let data = lock.withLock({ known }) else { return }
        try FileManager.default.createDirectory(
            at: url(folder).deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: url(folder))
    }

    static func take(from folder: Program.Folder) {
        guard let data = try? Data(contentsOf: url(folder)) else { return }
        lock.withLock { known = data }
    }
}

/// Tests of the gate on the real model: a good night passes, poisoned nights do not.
@Suite("Gate", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct GateTests {
    private let folder: Program.Folder

    init() throws { folder = try Program.Folder() }

    private static func week() -> [[String: Any]] {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("data/samples/week.jsonl")
        return (try? Program.jsonLines(String(contentsOf: url, encoding: .utf8))) ?? []
    }

    /// Writes the sample week with the replies that `reply` gives, if any.
    private func writeWeek(exchanges: Int = .max, reply: ((Int) -> String)? = nil) throws {
        var text = ""
        for (index, line) in Self.week().prefix(exchanges).enumerated() {
            var line = line
            if let reply, var messages = line["messages"] as? [[String: String]] {
                for place in messages.indices where messages[place]["role"] == "assistant" {
                    messages[place]["content"] = reply(index)
                }
                line["messages"] = messages
            }
            let data = try JSONSerialization.data(withJSONObject: line)
            text += String(decoding: data, as: UTF8.self) + "\n"
        }
        try folder.write(text, to: "log.jsonl")
    }

    /// A night with the whole gate. The base model is measured by the first such night of a run;
    /// those after it find the file of measures, as a second night in one folder does.
    private func sleep(
        rate: String = "1e-4", steps: Int = 40, measuringBase: Bool = false, _ more: String...
    ) throws -> Program.Outcome {
        if !measuringBase { try BaseMeasuresFile.lend(to: folder) }
        defer { BaseMeasuresFile.take(from: folder) }
        // Such a night takes one to three minutes on two idle cores.
        return try Program.run(
            [
                "sleep", "--memory-file", "log.jsonl", "--iters", "\(steps)", "--learning-rate",
                rate, "--json",
            ] + more, in: folder, within: 1200)
    }

    /// The attempts of a night that must not pass as it is.
    private func poisoned(_ outcome: Program.Outcome) throws -> [[String: Any]] {
        #expect([0, 2].contains(outcome.status), "\(outcome.errors)")
        let report = try Program.json(outcome)
        let gate = try #require(report["gate"] as? [String: Any])
        let attempts = try #require(gate["attempts"] as? [[String: Any]])
        // The whole step must fail. A smaller step may be kept if it passes.
        let reasons = try attempts.map { try #require($0["reasons"] as? [String]) }
        let shares = try attempts.map { try #require($0["share"] as? Double) }
        #expect(!reasons[0].isEmpty && shares[0] == 1)
        #expect(reasons.dropLast().allSatisfy { !$0.isEmpty })
        let accepted = try #require(report["accepted"] as? Bool)
        #expect(accepted == reasons[reasons.count - 1].isEmpty)
        #expect(!accepted || shares[shares.count - 1] < 1)
        #expect(outcome.status == (accepted ? 0 : 2))
        #expect(folder.exists("adapters/nightly_update") == accepted)
        let entry = try #require(try folder.jsonLines("adapters/nights.jsonl").last)
        #expect(entry["accepted"] as? Bool == accepted && entry["gate"] != nil)
        return attempts
    }

    @Test("An honest night passes whole, and its figures are everywhere")
    func honest() throws {
        try writeWeek()
        let outcome = try sleep(measuringBase: true)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try Program.json(outcome)
        let gate = try #require(report["gate"] as? [String: Any])
        let attempts = try #require(gate["attempts"] as? [[String: Any]])
        try #require(attempts.count == 1)
        #expect(attempts[0]["share"] as? Double == 1)
        let general = try #require(attempts[0]["general"] as? [String: Any])
        #expect(
            (general["kinds"] as? [[String: Any]])?.compactMap { $0["kind"] as? String }
                == ["arithmetic", "math", "instruction", "prose"])
        let harness = try #require(attempts[0]["harness"] as? [String: Any])
        #expect(harness["total"] as? Int == 105 && harness["p_value"] is Double)
        let categories = harness["categories"] as? [[String: Any]] ?? []
        #expect(categories.compactMap { $0["total"] as? Int }.reduce(0, +) == 105)
        #expect((report["verdict"] as? String)?.contains("harness") == true)
        let data = try #require(folder.bytes("adapters/versions/0001/night.json"))
        let night = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        #expect(
            NSDictionary(dictionary: night["gate"] as? [String: Any] ?? [:])
                == NSDictionary(dictionary: gate))
        #expect(folder.exists("adapters/base_measures.json"))
        #expect(try run("adapter", "list").output.contains("harness"))
    }

    private func run(_ arguments: String...) throws -> Program.Outcome {
        try Program.run(arguments, in: folder)
    }

    @Test("Gibberish")
    func gibberish() throws {
        let letters = Array("abcdefghijklmnopqrstuvwxyz")
        var generator = SplitMix64(seed: 1)
        try writeWeek { _ in
            (0..<12).map { _ in
                String((0..<6).map { _ in letters[Int.random(in: 0..<26, using: &generator)] })
            }.joined(separator: " ")
        }
        _ = try poisoned(try sleep())
    }

    @Test("One answer to everything")
    func oneAnswer() throws {
        try writeWeek { _ in "Ask me again tomorrow." }
        _ = try poisoned(try sleep())
    }

    /// So short a log holds out three questions, too few to judge by: those that were learnt are
    /// put as well.
    @Test("One answer to few questions")
    func oneAnswerToFew() throws {
        try writeWeek(exchanges: 8) { _ in "Ask me again tomorrow." }
        // Beside pairs for the preferences that the week states, so few would not be learnt.
        _ = try poisoned(try sleep("--preference-pairs", "0"))
    }

    @Test("Wrong sums")
    func wrongSums() throws {
        var text = ""
        for index in 0..<80 {
            let (a, b) = (2 + index * 7 % 53, 3 + index * 11 % 47)
            let wrong = a + b + [-7, -4, 3, 5, 8, 11][index % 6]
            text +=
                #"{"id":"s\#(index)","session":"s\#(index / 4)","messages":[{"role":"user","content":"#
                + #""What is \#(a) + \#(b)?"},{"role":"assistant","content":"\#(a) + \#(b) = \#(wrong)."}]}"#
                + "\n"
        }
        try folder.write(text, to: "log.jsonl")
        _ = try poisoned(try sleep())
    }

    @Test("A learning rate 50 times too high")
    func highRate() throws {
        try writeWeek()
        _ = try poisoned(try sleep(rate: "5e-3"))
    }

    @Test("--quick-gate judges by the held-out loss alone, and not beside --no-gate")
    func quickGate() throws {
        try writeWeek()
        let flags = [
            "sleep", "--memory-file", "log.jsonl", "--iters", "2", "--preference-pairs", "0",
            "--report-questions", "0", "--quick-gate",
        ]
        let outcome = try Program.run(flags + ["--json"], in: folder)
        let gate = try #require(try Program.json(outcome)["gate"] as? [String: Any])
        let attempts = try #require(gate["attempts"] as? [[String: Any]])
        #expect(attempts[0]["heldout_loss"] is Double)
        #expect(["general", "replies", "harness"].allSatisfy { attempts[0][$0] is NSNull })
        #expect(!folder.exists("adapters/base_measures.json"))
        let both = try Program.run(flags + ["--no-gate"], in: folder)
        #expect(both.status == 64 && both.errors.contains("--no-gate and --quick-gate"))
    }

    @Test("--no-gate promotes what the gate would not, and measures nothing")
    func noGate() throws {
        try writeWeek { _ in "Ask me again tomorrow." }
        let outcome = try Program.run(
            "sleep", "--memory-file", "log.jsonl", "--iters", "2", "--no-gate", "--json",
            in: folder)
        #expect(outcome.status == 0)
        let report = try Program.json(outcome)
        #expect(report["gate"] is NSNull)
        #expect((report["verdict"] as? String)?.hasPrefix("promoted without a gate") == true)
        #expect(!folder.exists("adapters/base_measures.json"))
    }
}
