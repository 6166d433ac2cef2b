import Testing

import CircadiaAnalysis
import CircadiaConversation
import CircadiaNight

@Suite("Held-out split")
struct HeldOutSplitTests {
    private func exchanges(sessions: Int, each: Int) -> [CleanExchange] {
        (0..<sessions).flatMap { session in
            (0..<each).map { index in
                Exchange(
                    id: "\(session)-\(index)", session: "s\(session)",
                    messages: [ChatMessage(role: .user, content: "u")])
            }
        }.cleaned
    }

    @Test("No conversation is on both sides, and no exchange is lost", arguments: [2, 3, 10, 60])
    func partition(sessions: Int) {
        let all = exchanges(sessions: sessions, each: 4)
        let split = HeldOutSplit(all, share: 0.15)
        let trained = Set(split.training.compactMap(\.exchange.session))
        let held = Set(split.heldOut.compactMap(\.exchange.session))
        #expect(trained.isDisjoint(with: held))
        #expect(!trained.isEmpty && !held.isEmpty)
        #expect(split.training.count + split.heldOut.count == all.count)
    }

    @Test("A held-out conversation stays held out as the log grows")
    func stability() {
        let first = HeldOutSplit(exchanges(sessions: 40, each: 2), share: 0.15)
        let later = HeldOutSplit(exchanges(sessions: 80, each: 2), share: 0.15)
        let trainedLater = Set(later.training.map(\.id))
        #expect(!first.heldOut.isEmpty)
        #expect(first.heldOut.allSatisfy { !trainedLater.contains($0.id) })
    }

    @Test("The latest unlearnt exchanges are measured, at most 100 of a long log")
    func measured() {
        let split = HeldOutSplit(exchanges(sessions: 400, each: 4), share: 0.15)
        #expect(split.heldOut.count > HeldOutSplit.mostMeasured)
        let ids = split.heldOut.map(\.id)
        let most = HeldOutSplit.mostMeasured
        #expect(split.measured { _ in false }.map(\.id) == ids.suffix(most))
        #expect(split.measured { $0.id != ids[0] }.map(\.id) == [ids[0]])
        // Learnt ones are measured if there are no others.
        #expect(split.measured { _ in true }.map(\.id) == ids.suffix(most))
    }

    @Test("A share of 0 holds out nothing")
    func zero() {
        #expect(HeldOutSplit(exchanges(sessions: 5, each: 1), share: 0).heldOut.isEmpty)
    }

    @Test("A single conversation is split by exchange")
    func singleConversation() {
        let split = HeldOutSplit(exchanges(sessions: 1, each: 20), share: 0.15)
        #expect(!split.heldOut.isEmpty && !split.training.isEmpty)
    }
}
