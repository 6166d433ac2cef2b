import CircadiaTestSupport
import Foundation
import Testing

import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaFormats
import CircadiaNight
import CircadiaTraining

/// Runs whole nights of a tiny random model in process.
@Suite("A tiny night")
struct TinyNightTests {
    private let folder: NightFolder

    init() throws { folder = try NightFolder() }

    /// Counts steps of training and asks the night to end after `limit` of them.
    private final class Steps {
        private(set) var count = 0
        var limit = Int.max

        var isOver: Bool { count >= limit }

        func note(_ event: NightEvent) {
            if case .training(let progress) = event, case .step = progress.event { count += 1 }
        }
    }

    private func interrupted(after limit: Int, resumes: Bool = false) throws {
        let steps = Steps()
        steps.limit = limit
        #expect(
            throws: SleepError.interrupted(
                step: resumes ? nil : limit, total: 6, folder: folder.unfinished.url.relativePath)
        ) {
            try folder.sleep(isCancelled: { steps.isOver }, report: steps.note)
        }
    }

    @Test("A night trains, keeps a version, puts it in use and records what it did")
    func whole() throws {
        var events: [String] = []
        let outcome = try folder.sleep(report: { event in
            events.append(String("\(event)".prefix { $0 != "(" }))
        })
        #expect(outcome.isAccepted && outcome.night.number == 1 && outcome.night.parent == nil)
        #expect(outcome.training.steps == 6 && outcome.selection.new == outcome.selection.trained)
        #expect(outcome.selection.heldOut > 0 && outcome.verdict.heldOutLossBefore != nil)
        #expect(!folder.unfinished.exists)
        let expected = ["leftOut", "rows", "selected", "plan", "training", "promoted"]
        let shown = events.reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
        #expect(shown == expected)
        let versions = AdapterVersions(beside: folder.adapter)
        #expect(versions.numberInUse == 1 && versions.nights.map(\.version) == [1])
        let manifest = try #require(versions.version(1)?.manifest)
        #expect(manifest.trained?.isEmpty == false && versions.nights[0].trained == nil)
        let diary = try #require(NightDiaries(beside: folder.adapter).diary(of: manifest))
        #expect(diary.trainingLoss.count == 6 && diary.heldOutLoss.first?.step == 0)
        #expect(diary.answers.count == 1)
        let ledger = try #require(TrainingManifest.read(adapter: folder.adapter)?.ledger)
        #expect(ledger.nights == 1 && ledger.entries.count == outcome.selection.trained)
    }

    @Test(
        "A resumed night ends in the same bits, wherever it was interrupted", arguments: [1, 3, 5])
    func resumed(after limit: Int) throws {
        try folder.sleep()
        let weights = try folder.weights()
        try FileManager.default.removeItem(at: folder.adapter.deletingLastPathComponent())

        try interrupted(after: limit)
        #expect(folder.unfinished.exists && !AdapterDirectory.isPresent(at: folder.adapter))
        // Later exchanges wait for the next night.
        var later = -1
        let outcome = try folder.sleep(
            over: NightFolder.log(11), resumes: true,
            report: { event in
                if case .resumed(_, let count) = event { later = count }
            })
        #expect(later == 3 && outcome.isAccepted)
        #expect(try folder.weights() == weights)
        #expect(!folder.unfinished.exists)
    }

    @Test("A night that was interrupted before training is prepared again")
    func interruptedEarly() throws {
        #expect(
            throws: SleepError.interrupted(
                step: nil, total: 0, folder: folder.unfinished.url.relativePath)
        ) { try folder.sleep(isCancelled: { true }) }
        #expect(try folder.unfinished.record().prepared == nil)
        #expect(try folder.sleep(resumes: true).isAccepted)
    }

    @Test("A gate's limits reject the candidate, and the adapter in use stays")
    func rejected() throws {
        try folder.sleep()
        let weights = try folder.weights()
        var options = NightFolder.options
        options.gate = GateLimits()
        options.gate?.heldOutLoss = 0.001
        options.gate?.heldOutRise = 10
        options.gate?.shares = [1, 0.5]
        options.replayShare = 1
        var judged: [Verdict.Attempt] = []
        let outcome = try folder.sleep(
            options,
            report: { event in
                if case .judged(let attempt) = event { judged.append(attempt) }
            })
        #expect(!outcome.isAccepted && judged == outcome.verdict.attempts && judged.count == 2)
        for attempt in judged {
            let loss = try #require(attempt.heldOutLoss)
            #expect(attempt.reasons == [.heldOutLossAboveLimit(loss: loss, limit: 0.001)])
        }
        #expect(try folder.weights() == weights)
        let versions = AdapterVersions(beside: folder.adapter)
        #expect(versions.numberInUse == 1 && versions.nights.map(\.accepted) == [true, false])
        #expect(versions.nights.last?.verdict == outcome.verdict.description)
        #expect(versions.nights.last?.gateReport == GateReport(outcome.verdict))
    }

    @Test("The next run completes a promotion whose process was killed")
    func caughtUp() throws {
        let outcome = try folder.sleep()
        let weights = try folder.weights()
        // Restores the state between writing the version and putting it in use.
        try AdapterVersions(beside: folder.adapter).useBase()
        try FileManager.default.removeItem(at: AdapterVersions(beside: folder.adapter).logURL)
        var record = NightRecord(
            number: 1, options: NightFolder.options, model: "tiny", modelFingerprint: "f",
            origin: nil, exchanges: NightFolder.log(8))
        record.outcome = outcome
        try folder.unfinished.save(record)

        let again = try folder.sleep(resumes: true)
        #expect(again.night.number == 1 && again.verdict == outcome.verdict)
        #expect(try folder.weights() == weights)
        #expect(AdapterVersions(beside: folder.adapter).nights.map(\.version) == [1])
        #expect(!folder.unfinished.exists)
    }

    @Test("Nights continue from one another, and old versions are removed")
    func several() throws {
        for count in [4, 6, 8] {
            _ = try folder.sleep(over: NightFolder.log(count), keptVersions: 2)
        }
        let versions = AdapterVersions(beside: folder.adapter)
        #expect(versions.all.map(\.number) == [2, 3] && versions.numberInUse == 3)
        #expect(versions.ancestors(of: 3) == [2, 1])
        #expect(TrainingManifest.read(adapter: folder.adapter)?.ledger?.nights == 3)
        #expect(throws: SleepError.nothingNew(path: "log.jsonl")) {
            var options = NightFolder.options
            options.replayShare = 0
            try folder.sleep(options)
        }
        #expect(!folder.unfinished.exists)
    }

    @Test("An adapter of another shape keeps its shape, and an event says so")
    func shape() throws {
        try folder.sleep(over: NightFolder.log(6))
        var options = NightFolder.options
        options.loraRank = 2
        var rank: Int?
        try folder.sleep(
            options,
            report: { event in
                if case .keepsShape(_, let found, _, _) = event { rank = found }
            })
        #expect(rank == 4)
    }
}
