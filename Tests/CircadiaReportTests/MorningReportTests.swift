import CircadiaTestSupport
import Foundation
import Testing

import CircadiaAdapters
import CircadiaConversation
import CircadiaLog
import CircadiaNight
import CircadiaReport

/// Tests reports of nights that 0.1.0 ran.
@Suite("Morning report")
struct MorningReportTests {
    private let folder: TemporaryFolder
    private let log: [Exchange]

    init() throws {
        folder = try TemporaryFolder()
        let home = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .appendingPathComponent("circadiaTests/Fixtures/0.1.0/home")
        try FileManager.default.copyItem(at: home, to: folder.file("home"))
        log = try ChatLog.read(folder.file("home/data/memories.jsonl"), repairing: false).exchanges
    }

    private var versions: AdapterVersions {
        AdapterVersions(beside: folder.file("home/adapters/nightly_update"))
    }

    private func report(_ number: Int? = nil) throws -> MorningReport {
        try #require(
            MorningReport(
                of: number, versions: versions, log: log,
                experiments: folder.file("home/logs/experiments.jsonl")))
    }

    private static let names = CommandNames(
        store: "-s", cycle: "cycle", sleep: "night", quickGate: "-q")

    @Test("A report shows a night's diary, history and harness")
    func told() throws {
        let latest = try report()
        #expect(latest.version == 3 && !latest.accepted && latest.verdict.hasPrefix("rejected: "))
        #expect(latest.history.map(\.version) == [3, 2, 1] && latest.nightCount == 3)
        #expect(latest.history.map(\.isInUse) == [false, true, false])
        let second = try report(2)
        #expect(second.trainingLoss.count == 6 && second.learnt?.exchanges == 8)
        // The second night was part of a run-cycle, which measured the harness.
        #expect(second.harness?.baseline == "evening" && latest.harness == nil)
        #expect(try report(1).answers.count == 1)
        #expect(
            MorningReport(
                of: 9, versions: versions, log: log, experiments: folder.file("none")) == nil)
    }

    @Test("A diary belongs to a night by its number and the time it began")
    func diary() throws {
        let file = folder.file("home/adapters/nights/0002.json")
        let text = try String(contentsOf: file, encoding: .utf8)
        // The verdict does not matter.
        try text.replacingOccurrences(of: "promoted without a gate", with: "kept")
            .write(to: file, atomically: true, encoding: .utf8)
        #expect(try report(2).learnt != nil)
        let started = #""started":"2026"#
        #expect(text.contains(started))
        try text.replacingOccurrences(of: started, with: #""started":"2025"#)
            .write(to: file, atomically: true, encoding: .utf8)
        let other = try report(2)
        #expect(other.learnt == nil && other.trainingLoss.isEmpty)
        #expect(other.remarks.contains { $0.hasPrefix("This night kept no diary") })
    }

    @Test("Exchanges that were forgotten since are not shown")
    func forgotten() throws {
        let learnt = try #require(
            TrainingManifest.read(adapter: versions.adapterDirectory)?.trained)
        try TrainedAdapters(root: versions.root).markStale(forgetting: Set(learnt.prefix(1)))
        let report = try report(2)
        #expect(report.answers.isEmpty)
        #expect(report.remarks.contains { $0.hasPrefix("Answers are not shown") })
    }

    @Test("Text and page use the given names of commands")
    func names() throws {
        let report = try report()
        let text = ReportText(report, names: Self.names).text
        #expect(text.contains("Night 0003: rejected") && text.contains("(-s fills it)"))
        let page = ReportPage(report, names: Self.names).text
        #expect(page.contains("<code>night</code> without <code>-q</code>"))
        #expect(!page.contains("--"[...].description + "rag") && !text.contains("--rag"))
    }
}
