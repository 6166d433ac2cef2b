import Testing

import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaNight

/// Tests which new and older exchanges a night trains, and when older ones are due.
@Suite("Selection of a night")
struct NightSelectionTests {
    private func exchanges(_ range: Range<Int>) -> [CleanExchange] {
        range.map {
            Exchange(
                id: "\($0)", session: "s",
                messages: [
                    ChatMessage(role: .user, content: "question \($0)"),
                    ChatMessage(role: .assistant, content: "reply \($0)"),
                ])
        }.cleaned
    }

    private func hashes(_ exchanges: [CleanExchange]) -> [ContentHash] { exchanges.map(\.hash) }

    @Test("A learnt exchange is due after 1, 2, 4, 8 and 16 more nights")
    func spacing() {
        let hash = ContentHash(rawValue: "h")
        var ledger = TrainingLedger()
        #expect(!ledger.isDue(hash) && ledger.urgency(of: hash) == 0)
        var nights: [Int] = []
        ledger.note(night: [hash])
        while nights.count < 5 {
            let isDue = ledger.isDue(hash)
            if isDue { nights.append(ledger.tonight) }
            ledger.note(night: isDue ? [hash] : [])
        }
        #expect(nights == [2, 4, 8, 16, 32])
        #expect(ledger.entries[hash] == .init(first: 1, last: 32, count: 6))
    }

    @Test("All new exchanges are taken, older ones up to their share, the most urgent first")
    func share() {
        let all = exchanges(0..<30)
        var ledger = TrainingLedger()
        ledger.note(night: hashes(Array(all[0..<10])))
        ledger.note(night: hashes(Array(all[10..<20])))
        func selection(_ share: Double, seed: UInt64 = 0) -> NightSelection {
            NightSelection(all, ledger: ledger, share: share, seed: seed)
        }
        let some = selection(0.3)
        #expect(some.new.map(\.id) == (20..<30).map(String.init))
        // 5 of 15. Those of the first night have waited twice as long.
        #expect(some.replayed.count == 5 && some.waiting == 15)
        #expect(some.replayed.allSatisfy { (Int($0.id) ?? 99) < 10 })
        #expect(some.replayed.map(\.id) == selection(0.3).replayed.map(\.id))
        #expect((1..<9).contains { selection(0.3, seed: $0).replayed != some.replayed })
        #expect(selection(0).exchanges.map(\.id) == some.new.map(\.id))
        #expect(selection(1).exchanges.count == 30 && selection(1).waiting == 0)
        #expect(selection(0.9).replayed.count == 20)
    }

    @Test("Without a share, older exchanges fill the room that the steps have in one pass")
    func room() {
        let all = exchanges(0..<30)
        var ledger = TrainingLedger()
        ledger.note(night: hashes(Array(all[0..<20])))
        func replayed(_ room: Int, _ share: Double? = nil) -> Int {
            NightSelection(all, ledger: ledger, share: share, room: room, seed: 0).replayed.count
        }
        #expect([0, 12, 22, 100].map { replayed($0) } == [5, 5, 12, 20])
        #expect(replayed(100, 0.3) == 5 && replayed(100, 0) == 0)
        ledger.note(night: hashes(Array(all[0..<20])))
        // None is due: they are taken only if there is room.
        #expect([0, 22].map { replayed($0) } == [0, 12])
    }

    @Test("If nothing is new, due exchanges are replayed, or all if none is due; with 0 none")
    func nothingNew() {
        let all = exchanges(0..<6)
        var ledger = TrainingLedger()
        ledger.note(night: hashes(all))
        ledger.note(night: hashes(Array(all[0..<2])))
        // The first two are due again in two nights.
        let first = NightSelection(all, ledger: ledger, share: 0.3, seed: 0)
        #expect(first.isDue && first.replayed.map(\.id) == ["2", "3", "4", "5"])
        ledger.note(night: hashes(first.replayed))
        ledger.note(night: hashes(Array(all[0..<2])))
        let rest = NightSelection(all, ledger: ledger, share: 0.3, seed: 0)
        #expect(rest.isDue && rest.replayed.count == 4)
        ledger.note(night: hashes(rest.replayed))
        let none = NightSelection(all, ledger: ledger, share: 0.3, seed: 0)
        #expect(!none.isDue && none.replayed.count == 6)
        #expect(NightSelection(all, ledger: ledger, share: 0, seed: 0).exchanges.isEmpty)
    }

    @Test(
        "A night in which nothing is new takes the most urgent exchanges, at most a limit"
    )
    func nothingNewInALongLog() {
        let most = NightSelection.mostWithoutNew
        let all = exchanges(0..<3 * most)
        var ledger = TrainingLedger()
        ledger.note(night: hashes(Array(all.suffix(10))))
        ledger.note(night: hashes(Array(all.dropLast(10))))
        func replayed(room: Int = 0, share: Double? = nil) -> [String] {
            NightSelection(all, ledger: ledger, share: share, room: room, seed: 0).replayed.map(
                \.id)
        }
        #expect(replayed().count == most)
        // The exchanges of the first night have waited longer.
        #expect(Set(all.suffix(10).map(\.id)).isSubset(of: replayed()))
        #expect(replayed(room: 2 * most).count == 2 * most)
        #expect(replayed(share: 1).count == all.count)
    }

    @Test("Over thirty nights every exchange is replayed, at growing intervals")
    func manyNights() {
        var ledger = TrainingLedger()
        var taken: [String: [Int]] = [:]
        for night in 1...30 {
            let log = exchanges(0..<night * 10)
            let selection = NightSelection(log, ledger: ledger, share: 0.3, seed: 1)
            #expect(selection.new.count == 10 && selection.replayed.count <= 5)
            for exchange in selection.exchanges { taken[exchange.id, default: []].append(night) }
            ledger.note(night: hashes(selection.exchanges))
        }
        #expect(taken.count == 300)
        // 145 rehearsals for 290 exchanges: the earliest have all had one.
        #expect((0..<100).allSatisfy { taken["\($0)"]?.count ?? 0 >= 2 })
        #expect(taken.values.allSatisfy { $0.count <= 5 })
    }

    @Test("An adapter without a ledger counts all its exchanges as learnt in one night")
    func oldManifest() {
        let manifest = TrainingManifest(model: "m", trained: [ContentHash(rawValue: "a")])
        #expect(manifest.ledger == nil && manifest.knownLedger.isDue(ContentHash(rawValue: "a")))
        #expect(!manifest.knownLedger.knows(ContentHash(rawValue: "b")))
    }
}
