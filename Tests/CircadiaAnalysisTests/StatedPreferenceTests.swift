import Foundation
import Testing

import CircadiaAnalysis
import CircadiaConversation

/// Statements about how to answer, on a table written for it (`Fixtures/preferences.txt`: what is to be
/// found, a tab, the message).
@Suite("Stated preferences")
struct StatedPreferenceTests {
    /// A line of the table: manners that are to be found, `!` before those that are taken back.
    private struct Row {
        let wanted: [String]
        let message: String
    }

    private static func table(_ name: String) throws -> [Row] {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/\(name)")
        return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map { line in
            let fields = line.split(separator: "\t", maxSplits: 1).map(String.init)
            return Row(
                wanted: fields[0] == "-" ? [] : fields[0].split(separator: ",").map(String.init),
                message: fields[1])
        }
    }

    private static func found(_ message: String) -> [String] {
        PreferenceDetector.preferences(in: message).map {
            ($0.isRetraction ? "!" : "") + $0.manner.rawValue
        }
    }

    private struct Tally {
        var right = 0
        var wrong = 0
        var missed = 0
        var precision: Double { Double(right) / Double(max(1, right + wrong)) }
        var recall: Double { Double(right) / Double(max(1, right + missed)) }

        init(_ rows: [Row]) {
            for row in rows {
                let found = StatedPreferenceTests.found(row.message)
                right += found.count { row.wanted.contains($0) }
                wrong += found.count { !row.wanted.contains($0) }
                missed += row.wanted.count { !found.contains($0) }
            }
        }
    }

    @Test("On the table that it was written with: precision and recall of 0.98")
    func table() throws {
        let rows = try Self.table("preferences.txt")
        #expect(rows.count { !$0.wanted.isEmpty } >= 60)
        #expect(rows.count { $0.wanted.isEmpty } >= 150)
        let tally = Tally(rows)
        #expect(tally.precision >= 0.98)
        #expect(tally.recall >= 0.98)
    }

    @Test("On a table that was written afterwards: precision of 0.95")
    func unseenTable() throws {
        let rows = try Self.table("preferences-unseen.txt")
        let tally = Tally(rows)
        print(
            "stated preferences, unseen: precision \(tally.precision), recall \(tally.recall) of "
                + "\(rows.count) messages")
        #expect(tally.precision >= 0.95)
        #expect(tally.recall >= 0.5)
    }

    @Test(
        "Values are those that were said",
        arguments: [
            ("Please always start with \"Ahoy!\"", "Ahoy!"),
            ("Call me Doctor Hall.", "Doctor Hall"),
            ("End every answer with a question.", "?"), ("Never use emojis.", "none"),
            ("Keep your answers to two or three sentences.", "3 sentences"),
            ("Please answer in at most 40 words.", "40 words"), ("Use metric units.", "metric"),
            ("When you show code, always use Swift.", "swift"),
            ("Please use bullet points in your answers.", "bullets"),
        ])
    func values(message: String, value: String) {
        #expect(PreferenceDetector.preferences(in: message).map(\.value) == [value])
    }

    private func log(_ messages: [String], tags: [Int: String] = [:]) -> [CleanExchange] {
        messages.enumerated().map { index, message in
            Exchange(
                id: "e\(index)",
                messages: [
                    ChatMessage(role: .user, content: message),
                    ChatMessage(role: .assistant, content: "Call me Ishmael. Use metric units."),
                ], tags: tags[index].map { [$0] } ?? [])
        }.cleaned
    }

    @Test("The newest of a manner holds, and what was taken back is gone")
    func live() {
        let live = StatedPreference.live(
            in: log([
                "Call me Captain.", "Please always use metric units.", "How are you?",
                "From now on, call me Boss.", "Always give me an example.",
                "Always add a summary to your answers.", "Please never use metric units any more.",
                "Always begin with \"Ahoy!\"", "Stop beginning with \"Ahoy!\"",
            ]))
        #expect(live.map(\.manner) == [.address, .content, .content, .units])
        #expect(live.map(\.value).first == "Boss")
        #expect(live.last?.value == "imperial")
        #expect(live.map(\.exchange) == ["e3", "e4", "e5", "e6"])
    }

    @Test("What was replaced or taken back held before, unless it was said again")
    func former() {
        let former = StatedPreference.history(
            in: log([
                "Call me Captain.", "Always begin with \"Ahoy!\"", "From now on, call me Boss.",
                "Stop beginning with \"Ahoy!\"", "Always end with \"Bye!\"",
                "Always end with \"Bye!\"",
            ])
        ).former
        #expect(former.map(\.value) == ["Captain", "Ahoy!"])
    }

    @Test("What is tagged, made up or holds a secret is passed over")
    func passedOver() {
        let messages = [
            "Call me Captain.", "Use metric units.",
            "Always end with \"my password is hunter2hunter\"",
        ]
        let live = StatedPreference.live(
            in: log(messages, tags: [0: Exchange.noTrainTag, 1: Exchange.syntheticTag]))
        #expect(live.isEmpty)
        #expect(StatedPreference.live(in: log(Array(messages.prefix(2)))).count == 2)
    }

    @Test("Long, quoted and pasted text is no statement")
    func pasted() {
        let long = String(repeating: "Rain fell on the town. ", count: 80) + "Call me Captain."
        #expect(Self.found(long).isEmpty)
        #expect(Self.found("```\nPlease answer in short sentences.\n```").isEmpty)
        #expect(Self.found("“Please answer in short sentences.”").isEmpty)
    }
}
