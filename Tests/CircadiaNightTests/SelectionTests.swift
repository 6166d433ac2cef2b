import Testing

import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaNight

/// Tests what a night does with each exchange of the log.
@Suite("Selection")
struct SelectionTests {
    private func selection(
        _ log: [CleanExchange], known: [CleanExchange] = [], share: Double? = nil,
        onlyIfDue: Bool = false
    ) throws -> Selection {
        var ledger = TrainingLedger()
        ledger.note(night: known.map(\.hash))
        var options = NightFolder.options
        options.replayShare = share
        return try Selection(
            of: NightMaterial(log), ledger: ledger, options: options, onlyIfDue: onlyIfDue,
            logPath: "log")
    }

    private func tagged(_ log: [CleanExchange], _ tag: String, _ index: Int) -> [CleanExchange] {
        var exchanges = log.map(\.exchange)
        exchanges[index].tags.append(tag)
        return exchanges.cleaned
    }

    @Test("Each exchange is either new, replayed, held out or barred")
    func partition() throws {
        let log = NightFolder.log(12)
        let all = try selection(log)
        let ids = Set(all.exchanges.map(\.id)).union(all.heldOut.map(\.id))
        #expect(ids == Set(log.map(\.id)) && all.tonight.waiting == 0)
        #expect(Set(all.exchanges.map(\.id)).isDisjoint(with: all.heldOut.map(\.id)))
        let first = try #require(all.exchanges.first)
        let index = try #require(log.firstIndex { $0.id == first.id })
        let barred = try selection(tagged(log, Exchange.noTrainTag, index))
        #expect(!barred.exchanges.contains { $0.id == first.id })
        #expect(barred.material.leftOut.tagged == 1)
        let later = try selection(log, known: [first])
        #expect(later.tonight.replayed.map(\.id) == [first.id])
        #expect(later.tonight.new.count == all.tonight.new.count - 1)
    }

    @Test("The summary counts what was selected, by hashes")
    func summary() throws {
        let log = tagged(NightFolder.log(12), Exchange.goodTag, 0)
        let known = Array(log.prefix(3))
        let selection = try selection(log, known: known, share: 1)
        let summary = selection.summary
        #expect(summary.trained == selection.exchanges.count)
        #expect(summary.replayed == selection.tonight.replayed.count)
        #expect(Set(summary.hashes.keys) == Set(selection.exchanges.map(\.id)))
        #expect(Set(summary.replayedHashes) == Set(selection.tonight.replayed.map(\.hash)))
        #expect(summary.heldOutHashes == selection.heldOut.map(\.hash))
        let isTrained = selection.exchanges.contains { $0.id == log[0].id }
        #expect(summary.repliesGood == (isTrained ? 1 : 0))
    }

    @Test("A night without anything to do says why")
    func nothing() throws {
        #expect(throws: SleepError.nothingToLearn(path: "log", exchanges: 0)) {
            try selection([])
        }
        let log = NightFolder.log(4)
        #expect(throws: SleepError.nothingNew(path: "log")) {
            try selection(log, known: log, share: 0)
        }
        #expect(throws: SleepError.nothingDue(path: "log")) {
            try selection(log, known: log, share: 0, onlyIfDue: true)
        }
        #expect(try !selection(log, known: log, onlyIfDue: true).exchanges.isEmpty)
    }

    @Test("Corrections are not paraphrased")
    func paraphrased() throws {
        let log = NightFolder.log(6)
        #expect(try selection(log).toParaphrase.count == selection(log).tonight.new.count)
        #expect(
            try selection(log, known: log).toParaphrase.map(\.id)
                == selection(log, known: log).tonight.replayed.map(\.id))
    }
}
