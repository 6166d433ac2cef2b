import CircadiaTestSupport
import Foundation
import Testing

import CircadiaAnalysis
import CircadiaConversation
import CircadiaLog
import CircadiaRetrieval

@Suite("Tags in chat")
struct ChatTagsTests {
    @Test(
        "A tag is a word of its own and leaves the message",
        arguments: [
            ("My doctor said so. #no-train", "My doctor said so.", ["no-train"]),
            ("#no-rag hello", "hello", ["no-rag"]),
            ("a #no-train, b #NO-RAG c", "a, b c", ["no-train", "no-rag"]),
            ("twice #no-train #no-train", "twice", ["no-train"]),
            ("#no-train", "", ["no-train"]),
            ("what does `#no-train` do?", "what does `#no-train` do?", []),
            (
                "issue#no-train, #no-training, # no-train",
                "issue#no-train, #no-training, # no-train", []
            ),
            ("#fun day", "#fun day", []),
        ] as [(String, String, [String])])
    func split(message: String, text: String, tags: [String]) {
        let (left, found) = ChatTags.split(message)
        #expect(left == text)
        #expect(found == tags)
    }

    @Test("Tags in the words of any log count, those of replies do not")
    func logs() throws {
        let folder = try TemporaryFolder()
        let log = folder.file("log.jsonl")
        try Data(
            """
            {"messages":[{"role":"user","content":"mine #no-train"},{"role":"assistant","content":"Yes"}]}
            {"conversations":[{"from":"human","value":"ours #no-rag"},{"from":"gpt","value":"Yes"}]}
            {"messages":[{"role":"user","content":"theirs"},{"role":"assistant","content":"#no-train"}]}

            """.utf8
        ).write(to: log)
        let exchanges = try ChatLog.read(log).exchanges
        #expect(exchanges.map(\.tags) == [["no-train"], ["no-rag"], []])
        let decisions = exchanges.cleaned.map(\.routing)
        #expect(decisions.map(\.trains) == [false, true, true])
        #expect(decisions[0].explanation.contains("does not train: tagged “no-train”"))
        let store = try RetrievalStore(directory: folder.file("rag"), embedder: nil)
        try store.ingest(exchanges.cleaned, policy: .chat)
        #expect(try store.list().count == 2)
    }

    @Test("What was answered from memory does not train")
    func recalled() {
        var said = exchange("a", "Where are the bees?", "Near Ghent.", day: 1)
        #expect(CleanExchange(cleaning: said).routing.trains)
        said.tags = ["recalled:b"]
        #expect(CleanExchange(cleaning: said).routing.bars == [.recalled])
    }

    @Test("A reply echoes a memory where five words in a row are the same")
    func echo() {
        let memory = "user: My sister Mathilde keeps bees near Ghent.\nassistant: How lovely"
        #expect(
            MemoryEcho.isPresent(
                of: memory, in: "You said your sister Mathilde keeps bees near Ghent!"))
        #expect(!MemoryEcho.isPresent(of: memory, in: "Your sister lives near Ghent."))
        #expect(!MemoryEcho.isPresent(of: memory, in: "How lovely"))
    }
}
