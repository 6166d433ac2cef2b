import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of nights over logs in which a person states preferences.
@Suite("Preferences at night", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct PreferenceNightTests {
    private let folder: Program.Folder

    init() throws {
        folder = try Program.Folder()
        try TinyModel.write(in: folder)
        try write([#"Always start your answers with \"Ahoy!\""#, "Never use emojis."])
    }

    /// Two conversations that begin with a statement, one of which is held out.
    private func write(_ statements: [String], tag: String = "") throws {
        var lines = ""
        for (session, statement) in statements.enumerated() {
            for (turn, text) in [statement, "Do you like tea and bread?"].enumerated() {
                lines +=
                    #"{"id":"s\#(session)-\#(turn)","session":"s\#(session)","tags":[\#(tag)],"#
                    + #""messages":[{"role":"user","content":"\#(text)"},"#
                    + #"{"role":"assistant","content":"Of course."}]}"# + "\n"
            }
        }
        try folder.write(lines, to: "log.jsonl")
    }

    private func sleep(_ more: String...) throws -> Program.Outcome {
        try Program.run(
            [
                "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--no-gate",
                "--json", "--rehearsal", "0", "--reset-adapter", "--iters", "2",
                "--report-questions", "0",
            ] + more, in: folder)
    }

    private func hashes(_ key: String) throws -> Set<String> {
        let url = folder.url.appendingPathComponent("adapters/nightly_update/night.json")
        let night = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any]
        return Set(try #require(night?[key] as? [String]))
    }

    @Test(
        "Stated preferences are practised, and the exchanges that state them are noted as trained")
    func practised() throws {
        let outcome = try sleep("--preference-pairs", "4")
        #expect(outcome.status == 0)
        let report = try Program.json(outcome)
        #expect(report["preferences"] as? Int == 2)
        let counts = ["preference_pairs", "preference_pairs_held_out", "preference_refused"].map {
            report[$0] as? Int ?? 0
        }
        #expect(counts.reduce(0, +) == 8)
        #expect(counts[0] > 0)
        #expect(outcome.errors.contains("preferences: 2 stated"))
        #expect(report["exchanges_trained"] as? Int == 2)
        // Of the held-out conversation, only the statement counts.
        let trained = try hashes("trained")
        #expect(trained.count == 3)
        #expect(try hashes("held_out").intersection(trained).count == 1)
        let text = try Program.run(["report", "--text", "--memory-file", "log.jsonl"], in: folder)
        #expect(text.output.contains("for 2 stated preferences"))
    }

    @Test("--preference-pairs 0, a tag and a retraction leave them out")
    func leftOut() throws {
        #expect(try Program.json(try sleep("--preference-pairs", "0"))["preferences"] as? Int == 0)
        try write([#"Always end with \"Bye!\""#, #"Stop ending with \"Bye!\""#])
        #expect(try Program.json(try sleep())["preferences"] as? Int == 0)
        #expect(try sleep("--preference-pairs", "-1").status == 64)
    }
}
