import Foundation
import Testing
import CircadiaConversation

/// Names of exchanges and of what is made of them; files, seeds and hashes hold them as they are here.
@Suite("Identities")
struct IdentityTests {
    private static let said = Exchange(
        id: "a", timestamp: Timestamp.date("2026-03-02T08:15:30Z"), session: "s",
        messages: [
            ChatMessage(role: .user, content: "Do you like tea?"),
            ChatMessage(role: .assistant, content: "Of course, tea."),
        ])

    @Test("Parts of an exchange have one name each")
    func rows() {
        func name(_ part: RowID.Part) -> String {
            RowID(exchange: "week-012", part: part).description
        }
        #expect(name(.whole) == "week-012")
        #expect(name(.originalAnswer) == "week-012+q")
        #expect(name(.paraphrase) == "week-012+p")
        #expect(name(.preferencePair(0)) == "week-012+f0")
        #expect(name(.preferencePair(47)) == "week-012+f47")
        #expect(RowID.ownRows(of: "week-012").map(\.description) == ["week-012", "week-012+q"])
    }

    @Test("An id that looks like a part is still the whole exchange")
    func lookalike() {
        let odd = RowID(exchange: "a+q")
        #expect(odd.exchange == "a+q" && odd.part == .whole)
        #expect(odd != RowID(exchange: "a", part: .originalAnswer))
    }

    @Test("A content hash depends on messages, time and session, not on id or tags")
    func contentHash() {
        let hash = Self.said.contentHash
        // What version 0.1.0 computed: adapters and stores of then name the exchange so.
        #expect(hash.rawValue == "c0314c4f89b2d0b65bc55403b703fb774110667c1055144a409af335adb6e438")
        var other = Self.said
        other.id = "b"
        other.tags = ["good"]
        #expect(other.contentHash == hash)
        other.session = "t"
        #expect(other.contentHash != hash)
        other.session = "s"
        other.messages[1].content += "!"
        #expect(other.contentHash != hash)
    }

    @Test("Exchanges without an id are named by their hash")
    func ids() {
        let hash = ContentHash(rawValue: "0123456789abcdef0123456789ABCDEF0123456789abcdef")
        #expect(hash.exchangeID == "0123456789abcdef0123456789ABCDEF")
        #expect(hash.exchangeID(line: 7) == "0123456789abcdef-7")
    }

    @Test("In files a hash is a string, as a value and as a key")
    func coding() throws {
        let hashes = [ContentHash(rawValue: "ab"), ContentHash(rawValue: "aa")]
        let encoder = JSONEncoder()
        #expect(
            String(decoding: try encoder.encode(hashes.sorted()), as: UTF8.self) == #"["aa","ab"]"#)
        let keyed = try encoder.encode([hashes[0]: 1])
        #expect(String(decoding: keyed, as: UTF8.self) == #"{"ab":1}"#)
        #expect(try JSONDecoder().decode([ContentHash: Int].self, from: keyed) == [hashes[0]: 1])
    }
}
