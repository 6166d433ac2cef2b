import ArgumentParser
import CircadiaAnalysis
import CircadiaConversation
import CircadiaLog
import CircadiaModel
import CircadiaRetrieval
import CircadiaTokenizer
import Foundation

/// `circadia chat`: the day.
struct ChatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Chat with the model; every exchange is logged.",
        discussion: """
            Ctrl-C stops a reply, Ctrl-D leaves. /good and /bad say of the last reply whether it is worth \
            learning; /help lists what else there is.
            """)

    @Option(help: ArgumentHelp("The chat log.", valueName: "file"))
    var memoryFile = "data/memories.jsonl"

    @Option(help: "A system message.")
    var system: String?

    @Flag(help: "Look up earlier chats before each reply, and remember each exchange.")
    var rag = false

    @OptionGroup var store: StoreOptions

    @Option(help: "Memories shown to the model at most.")
    var ragResults = 3

    @Option(help: "Tokens that memories may take of a prompt.")
    var ragTokens = MemoryLookup.defaultTokenBudget

    @Flag(help: "Show what was found, why, and what it cost (implies --rag).")
    var ragVerbose = false

    @Flag(
        help: "Keep keys, passwords and account numbers in the log and the store; they never train."
    )
    var keepSecrets = false

    @OptionGroup var sampling: SamplingFlags
    @OptionGroup var model: ModelOptions
    @OptionGroup var adapter: AdapterOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if ragResults < 1 { throw ValidationError("--rag-results must be at least 1") }
        if ragTokens < 1 { throw ValidationError("--rag-tokens must be at least 1") }
    }

    func run() throws {
        let console = output.console
        let log = ChatLog(url: URL(fileURLWithPath: memoryFile))
        // Found out now, not after the first exchange: a log that cannot be written loses what is said.
        try log.checkWritable()
        let presence = ChatPresence(log: log.url)
        let loaded = try model.loadModel()
        var watch = AdapterWatch(adapter)
        let adapterPath = adapter.presentURL?.relativePath
        try adapter.apply(to: loaded, console: console)
        let tokenizer = try loaded.makeTokenizer()
        let memories =
            rag || ragVerbose
            ? try MemoryLookup(
                location: store.location(), keepsSecrets: keepSecrets, tokenizer: tokenizer,
                console: console)
            : nil
        let template = try ChatTemplate(directory: loaded.directory.url, tokenizer: tokenizer)
        let chat = ChatSession(
            model: loaded.model, tokenizer: tokenizer, template: template,
            system: system)
        let logged = Self.quotable(from: log, tokenizer: tokenizer)
        var options = sampling.options
        var randomness = SeedSequence(seed: model.seed, isFixed: model.isSeedGiven)
        let session = SessionName.make()
        var reader = LineReader()
        var unsaved: [Exchange] = []
        var inView: [Memory] = []
        var last: Exchange?
        let marks = ChatMarks(log: log, memories: memories, console: console)
        Interrupt.install()
        // Where nobody reads any more, what is said is still logged.
        signal(SIGPIPE, SIG_IGN)
        console.note(
            "\(loaded.name): Ctrl-C stops a reply, Ctrl-D leaves, /help tells more; log: "
                + memoryFile)

        while true {
            if Console.inputIsTerminal { console.stream("\n> ") }
            let message: String
            var tags: [String]
            switch reader.next() {
            case .end:
                if Console.inputIsTerminal { console.stream("\n") }
                try save(&unsaved, to: log, console: console)
                return
            case .interrupted:
                Interrupt.clear()
                continue
            case .line(let line):
                switch ChatInput(line) {
                case .message(let text): (message, tags) = ChatTags.split(text)
                case .mark(let mark, let text):
                    guard
                        marks.add(
                            mark, to: &last, unsaved: &unsaved, hasText: !text.isEmpty)
                    else { continue }
                    (message, tags) = ChatTags.split(text)
                    if mark == .bad { tags.append(Exchange.correctionTag) }
                case .help:
                    console.note(ChatInput.helpText)
                    continue
                case .unknown(let word):
                    console.note(
                        "(\(word) is no command: /help lists them; with a blank before it, it is "
                            + "said)")
                    continue
                }
            }
            if message.isEmpty { continue }
            presence?.touch()
            let found =
                tags.contains(Exchange.noRetrievalTag)
                ? nil : memories?.lookUp(message, limit: ragResults, tokenBudget: ragTokens)
            if ragVerbose, let found { MemoryLookup.show(found, console: console) }
            let quotable = found?.block?.shown ?? []
            chat.quotable = logged + MemoryLookup.quotable(quotable, tokenizer: tokenizer)
            options.seed = randomness.next()
            // A Ctrl-C from before the line was read is no wish about this reply.
            Interrupt.clear()
            let reply = try chat.reply(
                to: message, context: found?.block?.text, options: options,
                onText: {
                    console.stream($0); return !Interrupt.isRequested
                },
                isCancelled: { Interrupt.isRequested })
            Interrupt.clear()
            console.stream("\n")
            if reply.finishReason == .length {
                console.note("(cut at \(sampling.maxTokens) tokens; --max-tokens allows more)")
            }
            if reply.droppedMessages > 0 {
                console.note("(the oldest \(reply.droppedMessages) messages no longer fit)")
            }
            if reply.isMessageCut {
                console.note("(the message is longer than the context: its middle was left out)")
            }
            last = nil
            guard !reply.text.isEmpty else { continue }
            let shown = reply.isContextDropped ? [] : found?.block?.shown ?? []
            // What was shown earlier is still in view, and may be repeated.
            let recalled =
                shown
                + inView.filter { memory in
                    !shown.contains { $0.id == memory.id }
                        && MemoryEcho.isPresent(of: memory.text, in: reply.text)
                }
            inView += shown.filter { memory in !inView.contains { $0.id == memory.id } }
            let clean = CleanExchange(
                cleaning: Exchange(
                    id: UUID().uuidString.lowercased(), timestamp: Date(), session: session,
                    messages: [
                        ChatMessage(role: .user, content: message),
                        ChatMessage(role: .assistant, content: reply.text),
                    ], model: loaded.name, adapter: adapterPath,
                    tags: tags + recalled.map { Exchange.recalledTagPrefix + $0.id }))
            noteSecrets(of: clean, console: console)
            let exchange = clean.kept(keepingSecrets: keepSecrets)
            unsaved.append(exchange)
            last = exchange
            do {
                try save(&unsaved, to: log, console: console)
            } catch {
                console.warn("\(error)")
                console.warn(
                    "not on the disk yet: \(unsaved.count) exchanges; they are kept and tried again "
                        + "after the next reply and at the end")
            }
            presence?.touch()
            memories?.remember(clean)
            if let news = watch.news() { console.note(news) }
        }
    }

    /// Says which secrets are not written down.
    private func noteSecrets(of clean: CleanExchange, console: Console) {
        guard !keepSecrets, !clean.secrets.isEmpty else { return }
        let names = Set(clean.secrets.map(\.rawValue)).sorted().joined(separator: ", ")
        console.note("(not written down: \(names); --keep-secrets would keep it)")
    }

    /// Tokens of earlier chats that replies may quote.
    private static let quotableTokens = 16384

    /// The latest replies of the log; nothing where it cannot be read, since it is only a help.
    private static func quotable(from log: ChatLog, tokenizer: BPETokenizer) -> [Int32] {
        let exchanges = (try? ChatLog.recent(log.url)) ?? []
        let ids = exchanges.flatMap { exchange in
            exchange.messages.filter { $0.role == .assistant }.flatMap {
                tokenizer.encode($0.content, special: .plain)
            }
        }
        return Array(ids.suffix(quotableTokens))
    }

    /// Appends in order and forgets what is on the disk; says what became of a torn last line.
    private func save(
        _ unsaved: inout [Exchange], to log: ChatLog, console: Console
    ) throws {
        while let exchange = unsaved.first {
            let repair = try log.append(exchange)
            unsaved.removeFirst()
            if let text = LogReader.remark(on: repair) { console.warn("\(memoryFile): \(text)") }
        }
    }
}

/// Names a conversation after its first moment.
enum SessionName {
    static func make() -> String {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime]
        return formatter.string(from: Date()) + "-"
            + String(UUID().uuidString.prefix(4).lowercased())
    }
}

/// A new seed for every reply: a fixed sequence where the user gave `--seed`, else a fresh one.
struct SeedSequence {
    private var state: UInt64

    init(seed: UInt64, isFixed: Bool) {
        state = isFixed ? seed : UInt64.random(in: .min ... .max)
    }

    mutating func next() -> UInt64 {
        defer { state &+= 1 }
        return state
    }
}
