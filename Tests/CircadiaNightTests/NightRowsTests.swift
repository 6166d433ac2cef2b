import CircadiaTestSupport
import Foundation
import Testing

import CircadiaAnalysis
import CircadiaConversation
import CircadiaModel
import CircadiaNight
import CircadiaTokenizer
import CircadiaTraining

/// Tests which tokens of an exchange are scored, and with which context.
@Suite("Night's rows")
struct NightRowsTests {
    private let tokenizer: BPETokenizer
    private let template: ChatTemplate

    init() throws {
        let tiny = try TinyChat()
        tokenizer = tiny.tokenizer
        template = tiny.template
    }

    private func said(_ id: String, _ turns: String..., tags: [String] = []) -> Exchange {
        Exchange(
            id: id, session: "s",
            messages: turns.enumerated().map {
                ChatMessage(role: $0 % 2 == 0 ? .user : .assistant, content: $1)
            }, tags: tags)
    }

    private var log: [Exchange] {
        [
            said("a", "How wide is the bank?", "Most banks have a counter."),
            said("b", "No, I meant the bank of the river.", "About forty metres."),
        ]
    }

    private func rows(
        _ log: [Exchange], limit: Int = 1024, heldOut: Set<String> = [], matchesMLX: Bool = false
    ) -> (rows: [TrainingRow], context: [CleanExchange]) {
        let material = NightMaterial(log.cleaned)
        return NightRows(
            template: template, limit: limit, material: material, heldOut: heldOut,
            matchesMLX: matchesMLX
        ).rows(material.exchanges)
    }

    private func text(_ row: TrainingRow) -> String { tokenizer.decode(row.ids) }
    private func scored(_ row: TrainingRow) -> [String] {
        row.scored.map {
            tokenizer.decode(Array(row.ids[$0])).replacingOccurrences(of: "<|im_end|>", with: "")
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    @Test(
        "A corrected reply is unscored context; the corrected answer trains with both questions")
    func corrected() {
        let (rows, context) = rows(log)
        #expect(rows.map(\.id) == ["b", "b+q"] && rows.map(\.weight) == [2, 1])
        #expect(rows.map(scored) == [["About forty metres."], ["About forty metres."]])
        #expect(text(rows[0]).contains("counter") && text(rows[0]).contains("How wide"))
        #expect(text(rows[1]).contains("How wide"))
        #expect(!text(rows[1]).contains("counter") && !text(rows[1]).contains("I meant"))
        #expect(context.map(\.id) == ["a"])
    }

    @Test("Held-out, tagged and too long exchanges are not shown as context")
    func alone() {
        func isAlone(_ log: [Exchange], limit: Int = 1024, heldOut: Set<String> = []) -> Bool {
            let (rows, context) = rows(log, limit: limit, heldOut: heldOut)
            return rows.map(\.id) == ["b"] && rows[0].weight == 2 && context.isEmpty
                && !text(rows[0]).contains("How wide")
        }
        #expect(isAlone(log, heldOut: ["a"]))
        let whole = rows(log).rows[0].ids.count
        #expect(isAlone(log, limit: whole - 1))
        for tag in ["no-train", "recalled:x"] {
            var log = log
            log[0].tags = [tag]
            #expect(isAlone(log), "\(tag)")
        }
    }

    @Test("A question that is asked again has its own row with more weight")
    func askedAgain() {
        let (rows, context) = rows([
            said("a", "How do I boil an egg?", "Eggs are boiled."),
            said("b", "How do I boil an egg??", "Four minutes in boiling water."),
        ])
        #expect(rows.map(\.id) == ["b"] && rows[0].weight == 2 && context.isEmpty)
        #expect(!text(rows[0]).contains("Eggs are boiled."))
    }

    @Test("In an exchange of several turns no row scores the rejected reply")
    func turns() {
        let exchange = said(
            "m", "Hello", "Hi", "Who wrote Dune?", "Isaac Asimov.", "That's wrong.",
            "Frank Herbert.")
        let rows = rows([exchange]).rows
        #expect(rows.map(\.weight) == [1, 2])
        #expect(rows.map(scored) == [["Hi"], ["Frank Herbert."]])
        // mlx_lm scores all tokens, so such an exchange is left out.
        #expect(self.rows([exchange], matchesMLX: true).rows.isEmpty)
        let measured = NightRows(
            template: template, limit: 1024, material: NightMaterial([exchange].cleaned)
        ).measured(CleanExchange(cleaning: exchange))
        #expect(measured.map(scored) == ["Hi", "Frank Herbert."])
    }

    @Test("With mlx_lm's rows all replies weigh the same, and no rejected reply is shown")
    func likeMLX() {
        let rows = rows(log, matchesMLX: true).rows
        #expect(rows.map(\.id) == ["b"] && rows[0].weight == 1)
        #expect(!text(rows[0]).contains("counter"))
    }

    @Test("Bad replies do not train, good ones count double")
    func marks() {
        let (rows, _) = rows([
            said("x", "Hello", "Hm.", tags: ["bad"]), said("y", "Hello you", "Hi!", tags: ["good"]),
            said("z", "How do you do?", "Fine."),
        ])
        #expect(rows.map(\.id) == ["y", "z"] && rows.map(\.weight) == [2, 1])
    }

    @Test(
        "A reply that mentions the correction does not answer the first question",
        arguments: [
            ("About forty metres.", "No, I meant the river.", true),
            ("Sorry, about forty metres.", "No, I meant the river.", false),
            ("You're right, it is forty.", "No, I meant the river.", false),
            ("Forty metres instead.", "No, I meant the river.", false),
            ("Forty metres.", "Wrong. And how deep is it?", false),
        ])
    func sound(reply: String, message: String, isSound: Bool) {
        #expect(OriginalAnswer.isSound(reply, afterCorrection: message) == isSound)
    }

    @Test("Prose has no chat template, is scored in full and is anchored to the base model")
    func prose() throws {
        let text = "The rain had stopped. <|im_end|> is no end here."
        let exchange = Exchange(
            messages: [ChatMessage(role: .assistant, content: text)], tags: [Exchange.proseTag])
        let rows = NightRows(template: template, limit: 1024).general(
            [exchange].cleaned, anchored: true, scoring: .whole)
        let ids = tokenizer.encode(text, special: .plain)
        #expect(rows.map(\.ids) == [ids])
        #expect(rows.map(\.scored) == [[0..<ids.count]])
        #expect(rows.map(\.anchored) == [[0..<ids.count]])
    }

    private func rendered(_ exchange: Exchange) throws -> TrainingRow {
        let renderer = NightRows(template: template, limit: 256)
        return try #require(renderer.rows([exchange].cleaned).rows.first)
    }

    @Test("Tokens that are likely under the base model are anchored")
    func unsurprising() {
        func anchored(_ nats: [Float]) -> [Range<Int>] {
            NightRows.unsurprising(nats.enumerated().map { (position: 7 + $0, nats: $1) })
        }
        #expect(anchored([5, 2, 0.1, 1.6, 3, 0.2]) == [9..<11, 12..<13])
        #expect(anchored([5, 2]).isEmpty)
        #expect(anchored([0.1, 0.2]) == [7..<9])
    }

    @Test("A pair's likely tokens are anchored, and the end of a cut answer is not scored")
    func pairs() throws {
        let exchange = said("a", "Which bus?", "- The number 12 goes to the harbour.")
        let whole = try rendered(exchange)
        let start = try #require(whole.scored.first?.lowerBound)
        let renderer = NightRows(template: template, limit: 256)
        func pair(isOpen: Bool) -> PreferenceDistiller.Pair {
            PreferenceDistiller.Pair(exchange: CleanExchange(cleaning: exchange), isOpen: isOpen)
        }
        let rows = renderer.learnt([pair(isOpen: false)], pull: 0.5) { row in
            #expect(row.scored == whole.scored)
            return [(position: start, nats: 0.1), (position: start + 1, nats: 4)]
        }
        #expect(rows.count == 3 && Set(rows.map(\.anchored)) == [[start..<start + 1]])
        #expect(rows.allSatisfy { $0.pull == 0.5 && $0.scored == whole.scored })
        let open = try #require(renderer.measured([pair(isOpen: true)]).first)
        #expect(open.scored == [try #require(whole.scored.first).dropLast()])
        #expect(open.anchored.isEmpty && open.pull == 1)
    }

    @Test("The middle scoring omits beginning and end; an exchange with no scoring has no row")
    func manner() throws {
        let log = [
            said("a", "Which bus?", "The number 12 goes to the harbour."),
            said("b", "Is it late?", "It is half past nine by now."),
        ].cleaned
        let renderer = NightRows(template: template, limit: 256)
        func own(_ first: NightRows.Scoring) -> NightRows.Own {
            renderer.own([(log[0], first), (log[1], .whole)])
        }
        let whole = own(.whole)
        #expect(whole.rows.map(\.id) == ["a", "b"] && whole.withoutRow.isEmpty)
        let free = own(.middle(first: 2))
        let range = try #require(whole.rows.first?.scored.first)
        #expect(free.rows.first?.scored == [range.dropFirst(2).dropLast()])
        #expect(free.rows.last == whole.rows.last && free.withoutRow.isEmpty)
        let dropped = own(.none)
        #expect(dropped.rows.map(\.id) == ["b"] && dropped.withoutRow == ["a"])
    }

    @Test("General texts stay anchored at all positions, whichever are scored")
    func anchored() throws {
        let exchange = said("g", "Which bus?", "The number 12 goes to the harbour.")
        let whole = try rendered(exchange)
        let renderer = NightRows(template: template, limit: 256)
        let row = try #require(
            renderer.general([exchange].cleaned, anchored: true, scoring: .middle(first: 2)).first)
        #expect(row.anchored == whole.scored)
        #expect(row.scored == whole.scored.map { $0.dropFirst(2).dropLast() })
        let free = renderer.general([exchange].cleaned, anchored: false, scoring: .whole)
        #expect(free == [whole])
    }
}
