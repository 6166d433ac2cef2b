import ArgumentParser
import CircadiaNight
import CircadiaApp

/// `circadia sleep`: runs a night.
struct SleepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sleep",
        abstract: "Train on the day's chats and promote the adapter if it passes the gate.",
        discussion:
            "Exit code 2 means that nothing was promoted: the gate rejected the candidate, another "
            + "sleep is running, or there is no night to resume. Exit code 75 means that a signal "
            + "interrupted the night; --resume continues it.")

    @Option(help: ArgumentHelp("The chat log.", valueName: "file"))
    var memoryFile = "data/memories.jsonl"

    @Flag(
        help: "Resume an interrupted or killed night; give the same options as before.")
    var resume = false

    @Flag(help: "Pause between steps while a chat of the same log is in use.")
    var yieldToChat = false

    @Flag(help: "Skip the night, with exit code 0, if nothing is new and nothing is due.")
    var onlyIfDue = false

    @OptionGroup var night: SleepFlags
    @OptionGroup var store: NightStoreFlags
    @OptionGroup var model: ModelOptions
    @OptionGroup var adapter: AdapterOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
        let exchanges = try LogReader.read(memoryFile, console: console)
        let lock = try NightLock.take(for: adapter.url, console: console)
        defer { withExtendedLifetime(lock) {} }
        let loaded = try model.loadModel()
        var settings = night.settings(
            adapterDirectory: adapter.url, logPath: memoryFile, store: store, seed: model.seed)
        settings.resumes = resume
        settings.yieldsToChat = yieldToChat
        settings.onlyIfDue = onlyIfDue
        let outcome = try NightCall(loaded: loaded, settings: settings, console: console)
            .run(exchanges)
        if output.json {
            try console.json(NightReport(outcome))
        } else {
            console.result(outcome.verdict.description)
        }
        if !outcome.isAccepted { throw ExitCode(2) }
    }
}
