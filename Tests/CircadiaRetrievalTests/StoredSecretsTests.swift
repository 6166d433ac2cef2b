import CircadiaTestSupport
import Testing

import CircadiaConversation
import CircadiaRetrieval

@Suite("Secrets in the store")
struct StoredSecretsTests {
    @Test("The store keeps secrets only where it is told to")
    func stored() throws {
        let password = "Zug4Nach" + "Bern!"
        let folder = try TemporaryFolder()
        let said = exchange("pw", "my wifi password is \(password)", "Noted.", day: 1)
        let store = try RetrievalStore(directory: folder.file("rag"), embedder: WordEmbedder())
        try store.ingest([said], policy: .chat)
        #expect(try store.list()[0].messages[0].content.contains("[redacted: password]"))
        #expect(try store.search(password).allSatisfy { !$0.text.contains(password) })
        let kept = try store.ingest([said], policy: .chat, keepingSecrets: true)
        #expect(kept.replaced == 1)
        #expect(try store.list()[0].messages[0].content.contains(password))
        // Without the wish it is taken out again.
        try store.ingest([said], policy: .chat)
        #expect(try !store.list()[0].messages[0].content.contains(password))
    }
}
