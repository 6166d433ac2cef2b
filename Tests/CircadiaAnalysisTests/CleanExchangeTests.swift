import Foundation
import Testing

import CircadiaAnalysis
import CircadiaConversation
import CircadiaLog

/// Exchanges without secrets, which are made once and handed on.
@Suite("Clean exchanges")
struct CleanExchangeTests {
    private static let password = "Zug4Nach" + "Bern!"

    private static func exchange(
        _ messages: String..., id: String = "a", tags: [String] = []
    ) -> Exchange {
        Exchange(
            id: id, timestamp: Date(timeIntervalSince1970: 1_683_504_000), session: "s",
            messages: messages.enumerated().map { index, text in
                ChatMessage(role: index % 2 == 0 ? .user : .assistant, content: text)
            }, tags: tags)
    }

    private static func week() throws -> [Exchange] {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../data/samples/week.jsonl")
        return try ChatLog.read(url, repairing: false).exchanges
    }

    @Test("Each secret is replaced by its mark; who wants it kept still gets it")
    func secrets() {
        let said = Self.exchange(
            "my wifi password is \(Self.password)",
            "Is the password \(Self.password) written down?",
            tags: ["good"])
        let clean = CleanExchange(cleaning: said)
        #expect(clean.secrets == [.password, .password])
        #expect(
            clean.exchange.messages.map(\.content) == [
                "my wifi password is [redacted: password]",
                "Is the password [redacted: password] written down?",
            ])
        #expect(clean.kept(keepingSecrets: false) == clean.exchange)
        #expect(clean.kept(keepingSecrets: true) == said)
        #expect(clean.id == "a" && clean.exchange.tags == ["good"])
        #expect(clean.hash == clean.exchange.contentHash)
        #expect(clean.hashAsSaid == said.contentHash)
        #expect(clean.hash != clean.hashAsSaid)
    }

    @Test("An exchange without secrets stays as it is, and so does one that is cleaned again")
    func unchanged() {
        let said = Self.exchange("Do you like tea?", "Of course.")
        let clean = CleanExchange(cleaning: said)
        #expect(clean.exchange == said && clean.secrets.isEmpty)
        #expect(clean.hash == said.contentHash && clean.hashAsSaid == clean.hash)
        let secret = CleanExchange(cleaning: Self.exchange("password = \(Self.password)", "Noted."))
        let again = CleanExchange(cleaning: secret.exchange)
        #expect(!secret.secrets.isEmpty && again.secrets.isEmpty)
        #expect(again.exchange == secret.exchange && again.hash == secret.hash)
    }

    @Test("The router looks at what was said, not at the marks")
    func routing() throws {
        // A key of 200 characters makes the exchange long; its mark does not.
        let key = "sk-proj-" + String(repeating: "aB3dE5fG", count: 25)
        let said = Self.exchange(
            "\(key) is my key, and I would like you to keep it for as long as you can, please.",
            "Of course, I will.")
        let clean = CleanExchange(cleaning: said)
        try #require(clean.secrets == [.apiKey])
        #expect(clean.routing == Router.decide(said))
        #expect(clean.routing.reasons.map(\.name).contains("long"))
        #expect(!Router.decide(clean.exchange).reasons.map(\.name).contains("long"))
    }

    @Test("A reply that the log rejects later bars its exchange")
    func lessons() {
        let log = [
            Self.exchange("Where are the bees?", "In Paris."),
            Self.exchange("No, that is wrong.", "In Ghent, then.", id: "b"),
        ].cleaned
        let lessons = Lessons(log)
        #expect(log[0].routing.trains)
        #expect(log[0].routing(after: lessons["a"]).bars == [.rejected])
        #expect(log[0].routing(after: lessons["a"]).reasons == log[0].routing.reasons)
        #expect(log[1].routing(after: lessons["b"]) == log[1].routing)
    }

    @Test("Corrections are found in what was said, whatever was cleaned")
    func lessonsAsSaid() throws {
        let week = try Self.week()
        let secret = [
            Self.exchange("My password is \(Self.password)", "Noted: \(Self.password).", id: "x"),
            Self.exchange("No, it is \(Self.password)1.", "Noted.", id: "y"),
        ]
        for log in [week, secret] {
            #expect(Lessons(log.cleaned).all == Lessons(log).all)
        }
    }

    @Test("Cleaning searches every message once")
    func scans() throws {
        let week = try Self.week()
        let counter = ScanCounter()
        let cleaned = SecretDetector.$scanCounter.withValue(counter) {
            let cleaned = week.cleaned
            _ = Lessons(cleaned)
            _ = StatedPreference.history(in: cleaned)
            return cleaned
        }
        #expect(cleaned.count == week.count)
        #expect(counter.count == week.reduce(0) { $0 + $1.messages.count })
        _ = week.cleaned
        #expect(counter.count == week.reduce(0) { $0 + $1.messages.count }, "outside the block")
    }
}
