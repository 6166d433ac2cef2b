import Foundation
import Testing

import CircadiaAnalysis
import CircadiaConversation

/// What a log's replies are worth: which are rejected, which count more, and why.
@Suite("Lessons")
struct LessonsTests {
    private func said(
        _ id: String, _ question: String, _ reply: String, session: String? = "s",
        tags: [String] = []
    ) -> Exchange {
        Exchange(
            id: id, session: session,
            messages: [
                ChatMessage(role: .user, content: question),
                ChatMessage(role: .assistant, content: reply),
            ], tags: tags)
    }

    private var corrected: [Exchange] {
        [
            said("a", "How wide is the bank?", "Most banks have a counter."),
            said("other", "Hello", "Hi", session: "t"),
            said("b", "No, I meant the bank of the river.", "About forty metres."),
            said("c", "Thanks", "You are welcome."),
        ]
    }

    @Test("A correction rejects the reply before it and lifts the one after it")
    func corrects() {
        let log = corrected
        let lessons = Lessons(log)
        #expect(lessons.all.map(\.isRejected) == [true, false, false, false])
        #expect(lessons.all.map { $0.weight(ofReply: 0) } == [0, 1, 2, 1])
        #expect(lessons["b"].correction == Correction(kind: .meant, exchange: 0))
        #expect(lessons.corrected(by: "b") == [0])
        #expect(Router.decide(log[0], lesson: lessons["a"]).bars == [.rejected])
        #expect(
            lessons["a"].reasons { log[$0].id }
                == ["rejected: corrected in b (something else was meant)"])
        #expect(lessons["b"].reasons { log[$0].id } == ["counts double: puts right the reply of a"])
    }

    @Test("Nothing is corrected across sessions, or where none is named")
    func sessions() {
        var log = corrected
        log[2].session = "u"
        #expect(Lessons(log).all.allSatisfy { !$0.isRejected })
        for index in log.indices { log[index].session = nil }
        #expect(Lessons(log).all.allSatisfy { !$0.isRejected })
    }

    @Test("Marks reject and lift; what was called good is not rejected by a guess")
    func marks() {
        var log = corrected
        log[3].tags = ["good"]
        #expect(Lessons(log)["c"].weight(ofReply: 0) == 2)
        log[2].tags = ["good"]
        #expect(Lessons(log)["b"].weight(ofReply: 0) == 4)
        log[0].tags = ["good"]
        #expect(Lessons(log).all.map { $0.weight(ofReply: 0) } == [2, 1, 2, 2])
        log[0].tags = ["good", "bad"]
        #expect(Lessons(log)["a"].isRejected)
        #expect(Router.decide(log[0]).bars == [.rejected])
        #expect(ReplyMark.good.added(to: ["x", "bad"]) == ["x", "good"])
    }

    @Test("What is tagged as a correction is one, whatever its words")
    func tagged() {
        let log = [
            said("a", "Say good night", "Good night.", tags: ["bad"]),
            said("b", "like a sailor", "Fair winds.", tags: ["correction"]),
        ]
        let lessons = Lessons(log)
        #expect(lessons["a"].replies[0].rejection == .markedBad)
        #expect(lessons["b"].correction == Correction(kind: .told, exchange: 0))
    }

    @Test("Inside an exchange of several turns only the reply in question is rejected")
    func turns() {
        let turns = [
            "Hello", "Hi", "Who wrote Dune?", "Isaac Asimov.", "That's wrong.", "Frank Herbert.",
        ]
        let exchange = Exchange(
            id: "m",
            messages: turns.enumerated().map {
                ChatMessage(role: $0 % 2 == 0 ? .user : .assistant, content: $1)
            })
        let lesson = Lessons([exchange])["m"]
        #expect((0..<3).map { lesson.weight(ofReply: $0) } == [1, 0, 2])
        #expect(!lesson.isRejected && lesson.correction == nil)
    }

    @Test("A correction that is corrected is rejected as well")
    func chain() {
        let log =
            corrected.dropLast() + [said("d", "That's wrong, it is wider.", "Sixty metres.")]
        let lessons = Lessons(Array(log))
        #expect(lessons.all.map { $0.weight(ofReply: 0) } == [0, 1, 0, 2])
        #expect(lessons.corrected(by: "d") == [0, 2])
    }
}
