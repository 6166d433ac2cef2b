import CircadiaTestSupport
import Testing

import CircadiaAnalysis
import CircadiaConversation
import CircadiaRetrieval

/// What a chat stores and what a night stores.
@Suite("Store policies")
struct StorePolicyTests {
    private let plain = exchange("plain", "Do you like tea?", "Of course.")
    private let link = exchange("link", "See https://example.org/tea please.", "I see.")

    private func accepted(_ policy: StorePolicy, _ exchanges: [Exchange]) -> [String] {
        exchanges.cleaned.filter(policy.accepts).map(\.id)
    }

    @Test("A chat stores plain talk too, a night what the router sends")
    func routed() {
        #expect(accepted(.chat, [plain, link]) == ["plain", "link"])
        #expect(accepted(.night, [plain, link]) == ["link"])
    }

    @Test(
        "Neither stores what is tagged no-rag, what a night made up, or silence",
        arguments: [StorePolicy.chat, .night])
    func neither(_ policy: StorePolicy) {
        var tagged = link
        tagged.tags = [Exchange.noRetrievalTag]
        var synthetic = link
        synthetic.tags = [Exchange.syntheticTag]
        let silent = Exchange(
            id: "silent",
            messages: [ChatMessage(role: .system, content: "See https://example.org/tea")])
        #expect(accepted(policy, [tagged, synthetic, silent]).isEmpty)
        #expect(accepted(policy, [link]) == ["link"])
    }

    @Test("A copy takes in another store's exchanges as they are, tags apart")
    func takingIn() throws {
        let folder = try TemporaryFolder()
        let store = try RetrievalStore(directory: folder.file("rag"), embedder: WordEmbedder())
        let secret = exchange("secret", "my wifi password is Zug4Nach" + "Bern!", "Noted.")
        var tagged = plain
        tagged.tags = [Exchange.noRetrievalTag]
        let counter = ScanCounter()
        try SecretDetector.$scanCounter.withValue(counter) {
            try store.takeIn([secret, tagged, link])
        }
        #expect(try store.list() == [secret, link])
        #expect(counter.count == 0)
    }
}
