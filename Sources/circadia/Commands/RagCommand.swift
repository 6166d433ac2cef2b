import ArgumentParser
import CircadiaAnalysis
import CircadiaConversation
import Foundation

/// `circadia rag`: the retrieval store.
struct RagCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rag", abstract: "Fill, search, show and clear the retrieval store.",
        subcommands: [
            Ingest.self, Search.self, List.self, Show.self, Clear.self, Stats.self, Export.self,
            Migrate.self,
        ])

    struct Ingest: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a log's exchanges to the store: those that routing selects.")
        @Option(help: ArgumentHelp("The chat log.", valueName: "file"))
        var memoryFile = "data/memories.jsonl"
        @Flag(help: "Add all exchanges, not only those that routing selects.")
        var all = false
        @Flag(help: "Keep secrets instead of redacting them.")
        var keepSecrets = false
        @OptionGroup var store: StoreOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let console = output.console
            let exchanges = try LogReader.read(memoryFile, console: console)
            let report = try store.open().ingest(
                exchanges.cleaned, policy: all ? .chat : .night, keepingSecrets: keepSecrets
            ) { done, total in
                if Console.errorIsTerminal {
                    console.progress("ingest: \(done) of \(total)", isLast: done == total)
                }
                return true
            }
            if output.json {
                return try console.json(
                    Row(
                        added: report.added, replaced: report.replaced,
                        alreadyThere: report.alreadyThere, notSelected: report.notSelected))
            }
            console.result(
                "\(report.added) added, \(report.replaced) replaced, \(report.alreadyThere) already "
                    + "stored" + Self.rest(report.notSelected))
        }

        /// A note on exchanges that routing did not select.
        private static func rest(_ count: Int) -> String {
            count == 0 ? "" : "; \(count) short exchanges were not stored; --all stores them too"
        }

        struct Row: Encodable {
            let added, replaced, alreadyThere, notSelected: Int
        }
    }

    struct Search: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Search the store by meaning, words and time.")
        @Argument(help: "What to look for.") var query: String?
        @Option(
            help: ArgumentHelp(
                "Search for each \"question\" of this file (JSON lines).", valueName: "file"))
        var queries: String?
        @Option(help: "Most results for each query.") var topK = 10
        @Option(help: "The time that “last week” is relative to (RFC 3339). (default: now)")
        var now: String?
        @OptionGroup var store: StoreOptions
        @OptionGroup var output: OutputOptions

        struct Row: Encodable {
            let query: String
            let results: [Hit]
        }
        struct Hit: Encodable {
            let id: String
            let score: Double
            let timestamp: Date?
            let text: String

            private enum CodingKeys: String, CodingKey { case id, score, timestamp, text }

            /// Writes all fields; the time is null, not absent, if the exchange has none.
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(id, forKey: .id)
                try container.encode(score, forKey: .score)
                try container.encode(timestamp, forKey: .timestamp)
                try container.encode(text, forKey: .text)
            }
        }
        struct Question: Decodable { let question: String }

        func validate() throws {
            if (query == nil) == (queries == nil) {
                throw ValidationError("give either a QUERY or --queries FILE")
            }
            if topK < 1 { throw ValidationError("--top-k must be at least 1") }
            if let now, Self.date(now) == nil {
                throw ValidationError(
                    "--now “\(now)” is not an RFC 3339 time; write it as 2026-11-24T09:00:00Z")
            }
        }

        func run() throws {
            let store = try store.open()
            for question in try questions() {
                let found = try store.search(question, limit: topK, now: now.flatMap(Self.date))
                if output.json {
                    let hits = found.map {
                        Hit(id: $0.id, score: $0.score, timestamp: $0.timestamp, text: $0.text)
                    }
                    try output.console.json(Row(query: question, results: hits))
                } else {
                    for memory in found { output.console.result(MemoryLines.line(memory)) }
                    if found.isEmpty { output.console.note("nothing found") }
                }
            }
        }

        private func questions() throws -> [String] {
            if let query { return [query] }
            guard let queries else { return [] }
            let decoder = JSONDecoder()
            return try InputText.read(file: queries).split(separator: "\n").enumerated().map {
                index, line in
                guard let row = try? decoder.decode(Question.self, from: Data(line.utf8)) else {
                    throw CommandFailure(
                        "\(queries):\(index + 1): expected a JSON object with a \"question\"")
                }
                return row.question
            }
        }

        static func date(_ text: String) -> Date? {
            Timestamp.date(text) ?? Timestamp.date(text + "T00:00:00Z")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the exchanges of the store.")
        @OptionGroup var store: StoreOptions
        @OptionGroup var output: OutputOptions

        struct Row: Encodable {
            let id: String
            let timestamp: Date?
            let text: String
        }

        func run() throws {
            for exchange in try store.openForReading().list() {
                if output.json {
                    try output.console.json(
                        Row(
                            id: exchange.id, timestamp: exchange.timestamp,
                            text: exchange.transcript))
                } else {
                    let text = exchange.transcript.replacingOccurrences(of: "\n", with: " ")
                    output.console.result("\(exchange.id)  \(text.prefix(100))")
                }
            }
        }
    }

    struct Clear: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Empty the store; the chat log stays as it is.")
        @OptionGroup var store: StoreOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let count = try store.openForReading().clear()
            if output.json { return try output.console.json(["removed": count]) }
            output.console.result("\(count) exchanges removed; the log still has them")
        }
    }
}
