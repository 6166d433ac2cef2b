import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of the report of recorded nights, and of its page.
@Suite("Report", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct ReportTests {
    private let folder: Program.Folder
    private static let hostile =
        #"</td><script>alert("x")</script> <img src='http://x.invalid/a'> &"#

    init() throws {
        folder = try Program.Folder()
        try TinyModel.write(in: folder)
        var lines: [String] = []
        for session in 0..<6 {
            lines.append(
                try line(
                    "s\(session)", Self.hostile + " number \(session)", "Never <b>\(session)</b>."))
        }
        lines.append(try line("code", "Show it", "```swift\nlet x = 1\n```"))
        lines.append(try line("barred", "Not this", "Fine.", tags: ["no-train"]))
        lines.append(try line("recalled", "What was it?", "Tea.", tags: ["recalled:s1"]))
        lines.append(try line("secret", "My password: hunter2Xy9!kk", "Noted."))
        try folder.write(lines.joined(separator: "\n") + "\n", to: "data/memories.jsonl")
    }

    private func line(
        _ id: String, _ question: String, _ reply: String, tags: [String] = []
    ) throws -> String {
        let object: [String: Any] = [
            "id": id, "session": id, "timestamp": "2026-11-26T09:00:00Z", "tags": tags,
            "messages": [
                ["role": "user", "content": question], ["role": "assistant", "content": reply],
            ],
        ]
        return String(
            decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
    }

    private func sleep(_ more: String...) throws -> [String: Any] {
        let outcome = try Program.run(
            [
                "sleep", "--model", TinyModel.path, "--iters", "4", "--batch-size", "2",
                "--rehearsal", "0", "--no-gate", "--held-out", "0.5", "--eval-every", "2",
                "--report-tokens", "5", "--json",
            ] + more, in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try Program.json(outcome)
    }

    private func report(_ more: String...) throws -> [String: Any] {
        try Program.json(try Program.run(["report", "--json"] + more, in: folder))
    }

    private func counts(_ value: Any?) -> [String: Int] {
        var counts: [String: Int] = [:]
        for row in (value as? [String: Any])?["reasons"] as? [[String: Any]] ?? [] {
            counts[row["name"] as? String ?? ""] = row["count"] as? Int
        }
        return counts
    }

    @Test("The report says what the night recorded: figures, curves, reasons, answers")
    func model() throws {
        let night = try sleep()
        let report = try report()
        for key in ["verdict", "heldout_loss_before", "heldout_loss_after", "accepted"] {
            #expect("\(report[key] ?? "")" == "\(night[key] ?? "-")", "\(key)")
        }
        let learnt = report["learnt"] as? [String: Any] ?? [:]
        #expect(learnt["exchanges"] as? Int == night["exchanges_trained"] as? Int)
        #expect(learnt["tokens"] as? Int == night["tokens_trained"] as? Int)
        let training = report["training_loss"] as? [[String: Any]] ?? []
        #expect(training.map { $0["step"] as? Int } == [1, 2, 3, 4])
        let heldOut = report["held_out_loss"] as? [[String: Any]] ?? []
        #expect(heldOut.map { $0["step"] as? Int } == [0, 2, 4])
        #expect(heldOut.first?["loss"] as? Double == night["heldout_loss_before"] as? Double)
        #expect(heldOut.last?["loss"] as? Double == night["heldout_loss_after"] as? Double)

        let stored = counts(report["stored"])
        #expect((stored["code"] ?? 0) >= 1 && stored["code"] == stored["links"].map { $0 + 1 })
        let left = counts(report["left_out"])
        #expect(left["not trained: tagged #no-train"] == 1)
        #expect(left["not trained: answered from memory, which is not learnt again"] == 1)
        #expect(left["secret taken out: password"] == 1)
        let answers = report["answers"] as? [[String: Any]] ?? []
        let held = night["exchanges_held_out"] as? Int ?? 0
        #expect(!answers.isEmpty && answers.count == min(3, held))
        #expect(answers.allSatisfy { $0["before"] != nil && $0["after"] != nil })
        let cost = report["cost"] as? [String: Any] ?? [:]
        #expect(cost["peak_bytes"] as? Int == night["peak_rss_bytes"] as? Int)

        // The first night still has its report after a second night.
        _ = try sleep("--report-questions", "0")
        let second = try self.report()
        #expect((second["answers"] as? [Any])?.isEmpty == true)
        let history = second["history"] as? [[String: Any]] ?? []
        #expect(history.map { $0["version"] as? Int } == [2, 1])
        #expect(history.map { $0["is_in_use"] as? Bool } == [true, false])
        #expect(try self.report("0001")["version"] as? Int == 1)
        #expect(try folder.mode("adapters/nights") == 0o700)
        #expect(try folder.mode("adapters/nights/0001.json") == 0o600)
        #expect(!(try folder.read("adapters/nights.jsonl").contains("number")))
        #expect(!(try folder.read("adapters/nights/0001.json").contains("hunter2")))
    }

    @Test("Whatever people write stays text in the page, which asks for nothing from outside")
    func page() throws {
        _ = try sleep()
        let outcome = try Program.run("report", in: folder)
        #expect(outcome.status == 0)
        #expect(outcome.output.hasSuffix("/logs/report.html\n"))
        #expect(try folder.mode("logs/report.html") == 0o600)
        let page = try folder.read("logs/report.html")
        #expect(page.contains("&lt;/td&gt;&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"))
        #expect(page.contains("&lt;img src=&#39;http://x.invalid/a&#39;&gt; &amp; number"))
        for sign in ["<script", "<img", "<b>", "src=\"", "@import", "url("] {
            #expect(!page.contains(sign), "\(sign)")
        }
        #expect(!page.contains("hunter2"))
        #expect(page.contains("<title id=\"loss-title\">") && page.contains("<desc"))
        let tables = page.components(separatedBy: "<table>").count
        #expect(tables > 2 && page.components(separatedBy: "<caption>").count == tables)

        let text = try Program.run("report", "--text", in: folder)
        #expect(text.status == 0 && text.output.contains("Night 0001: promoted"))
        #expect(text.output.contains("Your own questions, before and after"))
    }

    @Test(
        "A browser shows the page: light and dark, on a phone without scrolling, in silence",
        .enabled(if: Browser.path != nil, "no headless Chromium; make setup installs one"))
    func browser() throws {
        _ = try sleep()
        #expect(try Program.run("report", in: folder).status == 0)
        let looks = try Browser.look(at: folder.url.appendingPathComponent("logs/report.html"))
        #expect(looks.count == 6)
        for look in looks {
            let name = "\(look.width) \(look.scheme)"
            #expect(look.messages.isEmpty && look.requests.isEmpty, "\(name)")
            #expect(look.page <= look.width && look.window == look.width, "\(name)")
            #expect(look.contrast >= 4.5, "\(name)")
            #expect(look.captions && look.scripts == 0 && look.images == 0, "\(name)")
            #expect(look.headings.first == "H1" && look.headings.count(where: { $0 == "H1" }) == 1)
        }
        let grounds = Dictionary(grouping: looks, by: \.scheme).mapValues { Set($0.map(\.ground)) }
        #expect(grounds["light"]?.count == 1 && grounds["dark"]?.count == 1)
        #expect(grounds["light"] != grounds["dark"])
    }

    @Test("What was forgotten is not quoted, and purging removes the answers")
    func forgetting() throws {
        _ = try sleep()
        let night = try Program.json(try Program.run("report", "--json", in: folder))
        let asked = try #require((night["answers"] as? [[String: Any]])?.first)
        let question = try #require(asked["question"] as? String)
        let id =
            question.contains("number")
            ? "s\(question.suffix(1))" : question == "Show it" ? "code" : "secret"
        #expect(try Program.run("forget", "--id", id, "--yes", in: folder).status == 0)
        let answers = try report()["answers"] as? [[String: Any]] ?? []
        #expect(!answers.contains { $0["question"] as? String == question })
        #expect(!(try Program.run("report", "--text", in: folder).output.contains(question)))
        #expect(try folder.read("adapters/nights/0001.json").contains("\"before\":"))
        #expect(try Program.run("forget", "--purge", in: folder).status == 0)
        #expect(!(try folder.read("adapters/nights/0001.json").contains("\"before\":")))
    }

    @Test("Only the latest nights keep a diary; one without has a report all the same")
    func diaries() throws {
        _ = try sleep()
        let diary = try folder.read("adapters/nights/0001.json")
        for number in 10..<80 { try folder.write(diary, to: "adapters/nights/00\(number).json") }
        let entry = try folder.read("adapters/nights.jsonl")
            .replacingOccurrences(of: "\"version\":1", with: "\"version\":100")
        try folder.write(entry, to: "adapters/nights.jsonl")
        #expect(try sleep()["version"] as? Int == 101)
        let names = try folder.names("adapters/nights")
        #expect(names.count == 60 && names.contains("0101.json"))
        let old = try report("100")
        #expect((old["remarks"] as? [String])?.first?.contains("no diary") == true)
        #expect(try Program.run("report", "100", in: folder).status == 0)
    }

    @Test("The harness of a cycle comes with intervals; without a night there is no report")
    func harness() throws {
        let none = try Program.run("report", in: folder)
        #expect(none.status == 2 && none.errors.contains("no night"))
        #expect(!folder.exists("logs/report.html"))
        try folder.write(
            #"{"id":"m1","category":"math","prompt":"2 + 2?","scorer":{"type":"numeric","answer":4},"#
                + #""max_tokens":2}"# + "\n", to: "prompts.jsonl")
        let cycle = try Program.run(
            "run-cycle", "--model", TinyModel.path, "--prompts", "prompts.jsonl",
            "--sleep-iters", "2", "--sleep-rehearsal", "0", "--sleep-no-gate", in: folder)
        #expect(cycle.status == 0, "\(cycle.errors)")
        let harness = try #require(try report()["harness"] as? [String: Any])
        let rows = harness["rows"] as? [[String: Any]] ?? []
        #expect(rows.map { $0["name"] as? String } == ["math", "all"])
        let after = rows.first?["after"] as? [String: Any] ?? [:]
        #expect(after["total"] as? Int == 1 && (after["ci95"] as? [Double])?.count == 2)
        #expect(try Program.run("report", "7", in: folder).status == 2)
        #expect(try Program.run("report", "x", in: folder).status == 64)
    }
}

/// A headless browser, if one is installed.
enum Browser {
    /// The measures of a page at one width and in one colour scheme.
    struct Look: Decodable {
        let width, page, window, scripts, images: Int
        let scheme, ground: String
        let contrast: Double
        let captions: Bool
        let headings, messages, requests: [String]
    }

    /// The browser's program; nil if the path has none, or no Python to drive it.
    static let path: URL? = {
        guard find("python3") != nil else { return nil }
        let names = [
            "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome",
        ]
        return names.lazy.compactMap(find).first
    }()

    private static func find(_ name: String) -> URL? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            .map { URL(fileURLWithPath: String($0)).appendingPathComponent(name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    /// Opens a page at several widths, light and dark.
    static func look(at page: URL) throws -> [Look] {
        let tool = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Tools/check_page.py")
        let process = Process()
        process.executableURL = find("python3")
        process.arguments = [tool.path, path?.path ?? "", page.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try JSONDecoder().decode([Look].self, from: data)
    }
}
