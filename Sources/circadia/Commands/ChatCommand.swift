import ArgumentParser
import CircadiaApp
import CircadiaModel
import Foundation

/// `circadia chat`: the day.
struct ChatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Chat with the model and log every exchange.",
        discussion: """
            Ctrl-C stops a reply, Ctrl-D leaves. /good and /bad tell the next night whether the last \
            reply is worth learning. /help lists all chat commands.
            """)

    @Option(help: ArgumentHelp("The chat log.", valueName: "file"))
    var memoryFile = "data/memories.jsonl"

    @Option(help: "A system message for the model.")
    var system: String?

    @Flag(help: "Search earlier chats before each reply and add each exchange to the store.")
    var rag = false

    @OptionGroup var store: StoreOptions

    @Option(help: "Most memories to show the model before a reply.")
    var ragResults = 3

    @Option(help: "Most tokens of a prompt that memories may take.")
    var ragTokens = MemoryLookup.defaultTokenBudget

    @Flag(
        help:
            "Show the memories found, their scores and their cost in tokens and time (implies --rag)."
    )
    var ragVerbose = false

    @Flag(
        help: "Keep secrets in the log and the store instead of redacting them; they never train."
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
        let place = try ChatPlace(
            log: URL(fileURLWithPath: memoryFile), adapter: adapter.noAdapter ? nil : adapter.url)
        let printer = ChatPrinter(
            console: console, logName: memoryFile, showsMemories: ragVerbose,
            maxTokens: sampling.maxTokens)
        let loaded = try model.loadModel()
        let engine = try engine(loaded, place: place, printer: printer)
        var reader = LineReader()
        Interrupt.install()
        // If the reader of standard output is gone, exchanges are still logged.
        signal(SIGPIPE, SIG_IGN)
        console.note(
            "\(loaded.name): Ctrl-C stops a reply, Ctrl-D leaves, /help tells more; log: "
                + memoryFile)
        while true {
            if Console.inputIsTerminal { console.stream("\n> ") }
            switch reader.next() {
            case .end:
                if Console.inputIsTerminal { console.stream("\n") }
                return try engine.finish()
            case .interrupted: Interrupt.clear()
            case .line(let line):
                try answer(ChatInput(line), engine: engine, printer: printer, console: console)
            }
        }
    }

    private func engine(
        _ loaded: LoadedModel, place: ChatPlace, printer: ChatPrinter
    ) throws -> ChatEngine {
        var settings = ChatEngine.Settings(
            modelName: loaded.name, adapterPath: adapter.presentURL?.relativePath)
        let adapted = try adapter.apply(to: loaded, console: output.console)
        settings.system = system
        settings.sampling = sampling.options
        settings.seeds = SeedSequence(seed: model.givenSeed)
        settings.keepsSecrets = keepSecrets
        let tokenizer = try loaded.makeTokenizer()
        let memories =
            rag || ragVerbose
            ? try MemoryLookup(
                store: store.open(), keepsSecrets: keepSecrets, tokenizer: tokenizer,
                limit: ragResults, tokenBudget: ragTokens)
            : nil
        return ChatEngine(
            model: adapted, tokenizer: tokenizer,
            template: try loaded.makeTemplate(tokenizer),
            place: place, memories: memories, settings: settings, report: printer.show)
    }

    /// Handles one line: a message, a mark or a chat command.
    private func answer(
        _ input: ChatInput, engine: ChatEngine, printer: ChatPrinter, console: Console
    ) throws {
        // A Ctrl-C from before the line was read does not stop the reply to it.
        Interrupt.clear()
        defer { Interrupt.clear() }
        switch input {
        case .message(let text):
            try engine.send(text, isCancelled: { Interrupt.isRequested })
        case .mark(let mark, let text):
            printer.hasTextAfterMark = !text.isEmpty
            guard engine.mark(mark) else { return }
            try engine.send(
                text, correctsLast: mark == .bad, isCancelled: { Interrupt.isRequested })
        case .help: console.note(ChatInput.helpText)
        case .unknown(let word):
            console.note(
                "(unknown command \(word); /help lists them; a space before it sends it as a message)"
            )
        }
    }
}
