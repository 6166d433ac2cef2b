import ArgumentParser
import CircadiaAnalysis
import CircadiaConversation
import CircadiaEvaluation
import CircadiaLog
import CircadiaModel
import CircadiaNight
import CircadiaTraining
import Foundation

/// `circadia sleep`: the night.
struct SleepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sleep",
        abstract: "Train on the day's chats and promote the adapter if it holds up.",
        discussion:
            "Exit code 2 means that nothing was promoted: the night was judged worse, another sleep "
            + "is running, or there is no night to go on with. Exit code 75 means that a signal ended "
            + "the night and --resume goes on with it.")

    @Option(help: ArgumentHelp("The chat log.", valueName: "file"))
    var memoryFile = "data/memories.jsonl"

    @Flag(
        help: "Go on with the night that was interrupted or killed; give the same options as then.")
    var resume = false

    @Flag(help: "Pause between steps while a chat of the same log is in use.")
    var yieldToChat = false

    @Flag(help: "Hold no night, with exit code 0, where nothing is new and nothing is due.")
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
        let report = try NightRunner(
            loaded: loaded, adapterDirectory: adapter.url, options: night.options(seed: model.seed),
            keptVersions: night.keepVersions, store: store, logPath: memoryFile, resumes: resume,
            yieldsToChat: yieldToChat,
            onlyIfDue: onlyIfDue, console: console
        ).run(exchanges)
        if output.json {
            try console.json(report)
        } else {
            console.result(report.verdict)
        }
        if !report.accepted { throw ExitCode(2) }
    }
}

/// The lock of a night, as a command takes it.
enum NightLock {
    /// Takes the lock; where another sleep holds it, says so and leaves with exit code 2.
    ///
    /// Making the lock is also the proof that an adapter can be written there, before any time is
    /// spent on training.
    static func take(for adapterDirectory: URL, console: Console) throws -> SleepLock {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: adapterDirectory.path, isDirectory: &isFolder),
            !isFolder.boolValue
        {
            throw CommandFailure(
                "\(adapterDirectory.relativePath): this is a file, and the adapter's folder cannot "
                    + "be made in its place; name another with --adapter-dir")
        }
        let root = adapterDirectory.standardizedFileURL.deletingLastPathComponent()
        if root.lastPathComponent == AdapterVersions.folderName {
            throw CommandFailure(
                "\(adapterDirectory.relativePath): this is a kept version, which nothing changes; "
                    + "put it in use with 'circadia adapter use "
                    + "\(adapterDirectory.lastPathComponent)', or name another folder with "
                    + "--adapter-dir")
        }
        do {
            return try SleepLock(guarding: adapterDirectory)
        } catch {
            guard case .alreadySleeping = error else { throw error }
            console.warn(error.description)
            throw ExitCode(2)
        }
    }
}

/// What `sleep` and `run-cycle` share: the retrieval store and the night itself with its progress.
/// The caller holds the lock.
struct NightRunner {
    let loaded: LoadedModel
    let adapterDirectory: URL
    let options: SleepOptions
    let keptVersions: Int
    let store: NightStoreFlags
    let logPath: String
    var resumes = false
    var yieldsToChat = false
    var onlyIfDue = false
    let console: Console

    func run(_ log: [Exchange]) throws -> NightReport {
        // Only the night answers to signals by itself, between steps; elsewhere they end the program.
        Interrupt.install(terminationToo: true)
        defer { Interrupt.uninstall() }
        let exchanges = log.cleaned
        if store.rag { try fillStore(exchanges) }
        let tokenizer = try loaded.makeTokenizer()
        let template = try ChatTemplate(
            directory: loaded.directory.url, tokenizer: tokenizer, dateString: PinnedDate.text)
        let night = Night(
            model: loaded.model, modelName: loaded.name,
            modelFingerprint: try loaded.directory.fingerprint(), tokenizer: tokenizer,
            template: template, adapterDirectory: adapterDirectory, options: options,
            material: try gateMaterial(), questions: try questions(),
            keptVersions: keptVersions)
        do {
            return try night.sleep(
                over: exchanges, rehearsal: try rehearsal(), logPath: logPath, resumes: resumes,
                onlyIfDue: onlyIfDue,
                isCancelled: {
                    if yieldsToChat { waitForChat() }
                    return Interrupt.isRequested
                }, report: show)
        } catch let error as SleepError {
            guard let code = Self.exitCode(error) else { throw error }
            if code == 0 {
                console.note(error.description)
            } else {
                console.warn(error.description)
            }
            throw ExitCode(code)
        } catch let error as TrainingError {
            guard case .timeLimit = error else { throw error }
            console.warn(error.description)
            throw ExitCode(2)
        }
    }

    /// Waits until no chat of the log is in use any more, or a signal comes.
    private func waitForChat() {
        let log = URL(fileURLWithPath: logPath)
        guard ChatPresence.isActive(log: log) else { return }
        console.note("a chat is in use: the night waits")
        while ChatPresence.isActive(log: log), !Interrupt.isRequested { usleep(500_000) }
        if !Interrupt.isRequested { console.note("the night goes on") }
    }

    /// What scripts can act on: 0 for a night that nobody needs, 75 (sysexits' EX_TEMPFAIL) for a night
    /// that can go on, 2 for one that was refused; nil for what failed.
    private static func exitCode(_ error: SleepError) -> Int32? {
        switch error {
        case .interrupted: 75
        case .nothingToResume, .nightUnreadable, .nightChanged, .nothingNew: 2
        case .nothingDue: 0
        default: nil
        }
    }

    /// Routes every exchange and takes what belongs there into the store.
    private func fillStore(_ exchanges: [CleanExchange]) throws {
        let memories = try store.location.open()
        if store.ragClear { try memories.clear() }
        let report = try memories.ingest(
            exchanges, policy: .night, keepingSecrets: store.keepSecrets)
        console.note(
            "store: \(exchanges.count - report.notSelected) of \(exchanges.count) exchanges belong "
                + "there, \(report.added + report.replaced) were new (all \(exchanges.count) still "
                + "train)")
    }

    /// What the gate measures with, as it ships with the program.
    private func gateMaterial() throws -> GateMaterial {
        guard options.gate != nil, options.judgesHarm else { return GateMaterial() }
        guard let texts = ShippedFiles.locate("eval/gate.jsonl"),
            let prompts = ShippedFiles.locate("eval/harness.jsonl")
        else {
            console.warn(
                "eval/gate.jsonl or eval/harness.jsonl was not found: the night is judged by its "
                    + "held-out conversations alone")
            return GateMaterial()
        }
        return GateMaterial(
            texts: try GeneralText.load(texts), prompts: try HarnessPrompt.load(prompts))
    }

    /// The general-purpose texts that ship with the program.
    private func rehearsal() throws -> [Exchange] {
        guard options.rehearsalShare > 0 else { return [] }
        guard let url = ShippedFiles.locate("samples/general.jsonl") else {
            console.warn(
                "samples/general.jsonl was not found: the night rehearses no general skills")
            return []
        }
        return try ChatLog.read(url).exchanges
    }

    /// The questions that ship with the program.
    private func questions() throws -> [PreferenceQuestion] {
        guard options.preferencePairs ?? 0 > 0 else { return [] }
        guard let url = ShippedFiles.locate("samples/questions.jsonl") else {
            console.warn(
                "samples/questions.jsonl was not found: stated preferences are not practised")
            return []
        }
        return try PreferenceQuestion.load(url)
    }

    private func show(_ event: Night.Event) {
        switch event {
        case .note(let text): console.note(text)
        case .paraphrases(let good, let tried):
            if Console.errorIsTerminal { console.progress("paraphrases: \(good) good of \(tried)") }
        case .preferences(let good, let tried):
            if Console.errorIsTerminal { console.progress("preferences: \(good) good of \(tried)") }
        case .plan(let plan, let wanted): show(plan, wanted: wanted)
        case .training(let progress): show(progress)
        }
    }

    private func show(_ plan: TrainingPlan, wanted: Int) {
        if plan.iterations < wanted {
            console.note(
                "\(plan.iterations) of \(wanted) steps fit into the time until --finish-by")
        }
        let parts =
            plan.microBatchesPerStep > 1
            ? "up to \(plan.microBatchesPerStep) micro-batches of \(plan.microBatchTokens) tokens"
            : "one micro-batch"
        console.note(
            String(
                format:
                    "plan: %d steps, %d tokens to train, about %@ at %.0f tokens/s, peak memory "
                    + "%.2f GB, %@ a step", plan.iterations, plan.tokens,
                Self.clock(plan.seconds), plan.tokensPerSecond, Double(plan.peakBytes) / 1e9,
                parts))
    }

    private func show(_ progress: TrainingProgress) {
        switch progress.event {
        case .evaluation(let step, let loss, _):
            console.note(String(format: "step %d: held-out loss %.3f", step, loss))
        case .checkpoint: break
        case .checkpointFailed(let step, let reason):
            console.warn(
                "step \(step): the checkpoint could not be written, the night goes on without: "
                    + reason)
        case .restored(let step, let factor):
            console.warn(
                "step \(step): loss or gradient not finite; the last good state is back, "
                    + "learning rate × \(factor)")
        case .step(let step):
            let isLast = step.step == progress.iterations
            guard Console.errorIsTerminal || isLast || step.step % 10 == 0 || step.step == 1 else {
                return
            }
            console.progress(
                String(
                    format: "step %d of %d  loss %.3f  %.0f tokens/s  %@ left", step.step,
                    progress.iterations, step.loss, progress.tokensPerSecond,
                    Self.clock(progress.secondsLeft)), isLast: isLast)
        }
    }

    /// Seconds as `m:ss`.
    static func clock(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        return String(format: "%d:%02d", whole / 60, whole % 60)
    }
}
