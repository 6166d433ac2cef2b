import ArgumentParser
import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaKernels
import CircadiaLog
import CircadiaRetrieval
import Foundation

/// `circadia memory`: imports into the chat log and searches, shows and tags its exchanges.
struct MemoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory",
        abstract: "Import into the chat log, search it, show and tag its exchanges.",
        subcommands: [Import.self, Search.self, Show.self, Tag.self, Untag.self])

    struct LogOptions: ParsableArguments {
        @Option(help: ArgumentHelp("The chat log.", valueName: "file"))
        var memoryFile = "data/memories.jsonl"

        var url: URL { URL(fileURLWithPath: memoryFile) }
    }

    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add chats from ChatGPT, Claude, ShareGPT or another log, without duplicates."
        )
        @Argument(
            help: "The chats: conversations.json of an export, a ShareGPT file, or JSON lines.")
        var file: String
        @Option(help: "Tag the added exchanges; may be repeated.")
        var tag: [String] = []
        @Flag(help: "Keep secrets instead of redacting them; they never train.")
        var keepSecrets = false
        @OptionGroup var log: LogOptions
        @OptionGroup var output: OutputOptions

        struct Report: Encodable {
            let format: String
            let added, alreadyThere, redacted, skipped: Int
        }

        func run() throws {
            let console = output.console
            try ForgetWording.completePending(log.url, console: console)
            let read = try ChatImport.read(URL(fileURLWithPath: file))
            let tagged = read.exchanges.map { exchange in
                var exchange = exchange
                for tag in tag.map(Tag.bare) where !exchange.tags.contains(tag) {
                    exchange.tags.append(tag)
                }
                return exchange
            }
            let report = try ChatLog(url: log.url).add(tagged, keepingSecrets: keepSecrets)
            if output.json {
                return try console.json(
                    Report(
                        format: read.format.rawValue, added: report.added,
                        alreadyThere: report.alreadyThere, redacted: report.redacted,
                        skipped: read.skipped))
            }
            if read.skipped > 0 {
                console.warn("\(file): skipped \(read.skipped) entries that are not chats")
            }
            console.result(
                "\(read.format.rawValue): \(report.added) exchanges added, \(report.alreadyThere) "
                    + "already there, \(report.redacted) redacted")
        }
    }

    /// One exchange in the JSON output of `search` and `show`.
    struct Row: Encodable {
        let id: String
        let score: Double?
        let timestamp: Date?
        let session: String?
        let tags: [String]
        let text: String

        init(_ exchange: Exchange, score: Double? = nil) {
            id = exchange.id
            self.score = score
            timestamp = exchange.timestamp
            session = exchange.session
            tags = exchange.tags
            text = exchange.transcript
        }
    }

    struct Search: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Search the log by words; 'circadia rag search' also searches by meaning.")
        @Argument(help: "Words to look for.") var query: String
        @Option(help: "Most results.") var topK = 10
        @Option(help: "Search only exchanges with this tag.") var tag: String?
        @OptionGroup var log: LogOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if topK < 1 { throw ValidationError("--top-k must be at least 1") }
        }

        func run() throws {
            let console = output.console
            var exchanges = try LogReader.contents(of: log.memoryFile, console: console).exchanges
            if let tag = tag.map(Tag.bare) { exchanges.removeAll { !$0.tags.contains(tag) } }
            let hits = LogSearch.search(query, in: exchanges, limit: topK)
            for hit in hits {
                if output.json {
                    try console.json(Row(hit.exchange, score: hit.score))
                } else {
                    let date = hit.exchange.timestamp.map(Timestamp.day) ?? "undated"
                    let text = hit.exchange.transcript.replacingOccurrences(of: "\n", with: " ")
                    console.result(
                        String(format: "%.3f", hit.score)
                            + "  \(date)  \(hit.exchange.id)  \(text.prefix(100))")
                }
            }
            if hits.isEmpty { console.note("nothing found") }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show exchanges in full.")
        @Argument(help: "Ids of exchanges.") var ids: [String]
        @OptionGroup var log: LogOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let console = output.console
            let exchanges = try LogReader.contents(of: log.memoryFile, console: console).exchanges
            for id in ids {
                guard let exchange = exchanges.last(where: { $0.id == id }) else {
                    throw CommandFailure("\(log.memoryFile): no exchange has the id \(id)")
                }
                if output.json {
                    try console.json(Row(exchange))
                } else {
                    console.result(ExchangeText.whole(exchange))
                }
            }
        }
    }

    struct Tag: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tag exchanges: no-train keeps them out of training, no-rag out of the store."
        )
        @Argument(help: "The tag, then ids of exchanges.") var tagAndIds: [String]
        @OptionGroup var change: TagChange

        /// A tag without its `#`.
        static func bare(_ tag: String) -> String { String(tag.drop { $0 == "#" }) }

        func validate() throws { try TagChange.check(tagAndIds) }

        func run() throws { try change.run(tagAndIds, adds: true) }
    }

    struct Untag: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a tag from exchanges.")
        @Argument(help: "The tag, then ids of exchanges.") var tagAndIds: [String]
        @OptionGroup var change: TagChange

        func validate() throws { try TagChange.check(tagAndIds) }

        func run() throws { try change.run(tagAndIds, adds: false) }
    }
}

/// Adds or removes a tag, for `memory tag` and `memory untag`.
struct TagChange: ParsableArguments {
    @Option(help: ArgumentHelp("The retrieval store's folder.", valueName: "dir"))
    var ragDir = "data/rag_memory"

    @Option(
        help: ArgumentHelp(
            "The adapter's folder; adapters next to it are checked too.", valueName: "dir"))
    var adapterDir = "adapters/nightly_update"

    @OptionGroup var log: MemoryCommand.LogOptions
    @OptionGroup var output: OutputOptions

    static func check(_ tagAndIds: [String]) throws {
        guard tagAndIds.count > 1 else { throw ValidationError("give a tag and at least one id") }
        let tag = MemoryCommand.Tag.bare(tagAndIds[0])
        if tag.isEmpty || tag.contains(where: \.isWhitespace)
            || tag.hasPrefix(Exchange.recalledTagPrefix)
        {
            throw ValidationError("“\(tagAndIds[0])” is not a tag; give one word")
        }
    }

    func run(_ tagAndIds: [String], adds: Bool) throws {
        let console = output.console
        let tag = MemoryCommand.Tag.bare(tagAndIds[0])
        let ids = Set(tagAndIds.dropFirst())
        try ForgetWording.completePending(log.url, console: console)
        let found = try ChatLog(url: log.url).retag(ids: ids) { tags in
            adds
                ? (tags.contains(tag) ? tags : tags + [tag]) : tags.filter { $0 != tag }
        }
        let missing = ids.subtracting(found.map(\.id)).sorted()
        try carryOn(found, tag: tag, adds: adds, console: console)
        if output.json {
            try console.json(["changed": found.map(\.id), "missing": missing])
        } else {
            console.result("\(found.count) exchanges \(adds ? "tagged" : "untagged") “\(tag)”")
        }
        if !missing.isEmpty {
            throw CommandFailure(
                "\(log.memoryFile): no exchange has the id \(missing.joined(separator: ", "))")
        }
    }

    /// Applies a tag outside the log: the store copies tags and drops exchanges tagged `no-rag`;
    /// adapters that were trained on an exchange now tagged `no-train` become stale.
    private func carryOn(
        _ exchanges: [Exchange], tag: String, adds: Bool, console: Console
    ) throws {
        // Adapters come first: the store may be on a server that does not answer.
        if tag == Exchange.noTrainTag, !exchanges.isEmpty {
            let adapters = TrainedAdapters(
                root: URL(fileURLWithPath: adapterDir, isDirectory: true)
                    .deletingLastPathComponent())
            let hashes = Set(exchanges.cleaned.map(\.hash))
            if adds {
                ForgetWording.showStale(
                    try adapters.markStale(forgetting: hashes), console: console)
            } else {
                try adapters.unmark(remembering: hashes)
            }
        }
        let folder = URL(fileURLWithPath: ragDir, isDirectory: true)
        for location in StoreLocation.known(in: folder) {
            let store = try location.open(embedder: nil)
            if adds && tag == Exchange.noRetrievalTag {
                try store.forget(ids: exchanges.map(\.id))
            } else {
                for exchange in exchanges { try store.setTags(exchange.tags, of: exchange.id) }
            }
        }
    }
}

/// An exchange as text for people.
enum ExchangeText {
    /// A heading with id, time, session and tags, then the messages.
    static func whole(_ exchange: Exchange) -> String {
        var heading = ["id: \(exchange.id)"]
        if let time = exchange.timestamp { heading.append("time: \(Timestamp.string(time))") }
        if let session = exchange.session { heading.append("session: \(session)") }
        if let model = exchange.model { heading.append("model: \(model)") }
        if !exchange.tags.isEmpty {
            heading.append("tags: " + exchange.tags.joined(separator: ", "))
        }
        let said = exchange.messages.map { "\($0.role.rawValue): \($0.content)" }
        return (heading + [""] + said + [""]).joined(separator: "\n")
    }
}
