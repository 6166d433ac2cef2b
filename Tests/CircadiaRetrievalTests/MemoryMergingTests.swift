import CircadiaTestSupport
import Foundation
import Testing

import CircadiaConversation
import CircadiaRetrieval

/// What a chat is reminded of where several exchanges say the same, or contradict each other.
@Suite("Merging of memories")
struct MemoryMergingTests {
    /// Talk about other things, so that words are as rare as they are.
    private static let filler: [Exchange] = (0..<40).map { (day: Int) in
        exchange("z\(day)", "Topic\(day) and matter\(day).", "As you like.", day: day, session: "z")
    }

    private func relevant(
        _ said: [(text: String, day: Int)], to question: String
    ) throws -> [Memory] {
        let folder = try TemporaryFolder()
        let store = try RetrievalStore(directory: folder.file("rag"), embedder: nil)
        let exchanges = said.enumerated().map { index, one in
            exchange("m\(index)", one.text, "Noted.", day: one.day, session: "s\(index)")
        }
        try store.ingest(exchanges + Self.filler, policy: .chat)
        return try store.relevant(to: question, limit: 5)
    }

    /// The older statement, the newer one and a question.
    static let contradicted: [(old: String, new: String, question: String)] = [
        ("My favourite colour is blue.", "My favourite colour is green.", "favourite colour"),
        ("I live in Paris.", "We packed up, and I live in Berlin now.", "live in"),
        ("I work for a bakery.", "I've started working for a bank now.", "Where do I work?"),
        ("My phone number is 555-0101.", "My new phone number is 555-0199.", "phone number"),
        ("I have two cats.", "I have three cats now.", "cats"),
        ("I eat meat.", "I don't eat meat anymore.", "eat meat"),
        ("My sister's name is Ann. I like tea.", "My sister's name is Joan.", "sister's name"),
        ("The deadline is Friday.", "The deadline is Monday.", "deadline"),
        ("The server version is 1.2.", "The server version is 1.3.", "server version"),
        ("For my job I live in Paris.", "For my job I moved to Berlin.", "job"),
    ]

    @Test("Of a contradiction the newer is shown, the older kept with it", arguments: contradicted)
    func newerHolds(_ one: (old: String, new: String, question: String)) throws {
        for isOldFirst in [true, false] {
            let said = [(one.old, isOldFirst ? 1 : 30), (one.new, isOldFirst ? 30 : 1)]
            // Times decide, not the order of arrival; the older words are only older if they were said
            // before.
            if !isOldFirst, one.new.contains("now") { continue }
            let found = try relevant(said, to: one.question)
            #expect(found.map(\.id) == [isOldFirst ? "m1" : "m0"], "\(one.question)")
            #expect(found.first?.earlier.map(\.id) == [isOldFirst ? "m0" : "m1"])
            #expect(found.first?.earlier.first?.isContradicted == true)
        }
    }

    /// Two statements that can both hold, and a question.
    static let compatible: [(one: String, other: String, question: String)] = [
        ("I read Dune.", "I read Emma.", "read"),
        ("I enjoy tea.", "I enjoy coffee.", "enjoy"),
        ("My sister lives in Paris.", "My brother lives in Paris.", "lives in Paris"),
        ("My dog is brown.", "My dog is ill.", "dog"),
        ("I visited Rome in May.", "I visited Oslo in May.", "visited May"),
        ("Is my favourite colour blue?", "My favourite colour is green.", "favourite colour"),
        ("I'm allergic to peanuts.", "I'm allergic to shrimp.", "allergic"),
        ("My son is called Tom.", "My daughter is called Eve.", "called"),
    ]

    @Test("What can both hold stays", arguments: compatible)
    func bothHold(_ one: (one: String, other: String, question: String)) throws {
        let found = try relevant([(one.one, 1), (one.other, 30)], to: one.question)
        #expect(Set(found.map(\.id)) == ["m0", "m1"], "\(one.question)")
    }

    @Test("The rest of what an older exchange says is still found, and so is what used to be")
    func rest() throws {
        let said = [
            ("I live in Paris. My cat is called Milo and he sleeps on the piano.", 1),
            ("I live in Berlin.", 30),
        ]
        #expect(try relevant(said, to: "What is my cat Milo called?").map(\.id).contains("m0"))
        #expect(try relevant(said, to: "live in").map(\.id) == ["m1"])
        #expect(try relevant(said, to: "Where did I live in before?").count == 2)
    }

    @Test("Nearly the same said twice comes once, the newest; another number is not the same")
    func nearlySame() throws {
        let found = try relevant(
            [
                ("Remind me to water the tomatoes on the balcony, please.", 1),
                ("Please remind me to water the tomatoes on the balcony!", 20),
                ("Remind me to water the tomatoes on the balcony at 7.", 10),
            ], to: "water the tomatoes on the balcony")
        #expect(Set(found.map(\.id)) == ["m1", "m2"])
        let merged = try #require(found.first { $0.id == "m1" })
        #expect(merged.earlier.map(\.id) == ["m0"] && merged.earlier[0].isContradicted == false)
    }

    @Test("Where a time is asked for, what was said then stands for the rest")
    func namedTime() throws {
        let said = (0..<4).map { ("We had lentil soup for lunch.", $0 * 7) }
        let found = try relevant(said, to: "What lentil soup lunch was it on 15 May 2023?")
        #expect(found.map(\.id) == ["m1"])
        #expect(found.first?.earlier.count == 3)
    }
}
