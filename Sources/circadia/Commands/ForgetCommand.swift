import ArgumentParser
import CircadiaApp
import CircadiaConversation
import CircadiaModel
import Foundation

/// `circadia forget`: takes exchanges out of the log, the store and, at the next sleep, the weights.
struct ForgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract:
            "Forget exchanges: in the log, in the store and, at the next sleep, in the weights.",
        discussion: """
            Shows what would go and changes nothing without --yes or a “y”. What went can be brought \
            back with --undo until --purge. Adapters that were trained on it are marked stale, so that \
            the next sleep retrains without it.
            """)

    @Option(help: "An exchange's id; may be given several times.")
    var id: [String] = []

    @Option(help: "Exchanges that hold all of these words.")
    var query: String?

    @Option(help: "Exchanges before this time (RFC 3339, or a day).")
    var before: String?

    @Option(help: "Exchanges from this time on.")
    var after: String?

    @Option(help: ArgumentHelp("Exchanges of this day.", valueName: "yyyy-mm-dd"))
    var on: String?

    @Flag(help: "Do it without asking.")
    var yes = false

    @Flag(help: "Bring back what the last command forgot.")
    var undo = false

    @Flag(help: "Leave nothing to bring back, of earlier commands either.")
    var purge = false

    @Option(help: ArgumentHelp("The chat log.", valueName: "file"))
    var memoryFile = "data/memories.jsonl"

    @Option(help: ArgumentHelp("The retrieval store's folder.", valueName: "dir"))
    var ragDir = "data/rag_memory"

    @Option(
        help: ArgumentHelp("The adapter's folder; those beside it count too.", valueName: "dir"))
    var adapterDir = "adapters/nightly_update"

    @OptionGroup var output: OutputOptions

    /// What a command did, or would do.
    struct Report: Encodable {
        let forgotten: Bool
        let exchanges: [Row]
        let lines: Int
        let stored: Int
        /// Adapters in use, and the names of kept versions.
        let staleAdapters: [String]
        let staleVersions: [String]
    }

    /// One exchange of a preview.
    struct Row: Encodable {
        let id: String
        let timestamp: Date?
        let text: String
    }

    private var selects: Bool {
        !id.isEmpty || query != nil || before != nil || after != nil || on != nil
    }

    func validate() throws {
        for (flag, text) in [("--before", before), ("--after", after), ("--on", on)] {
            if let text, RagCommand.Search.date(text) == nil {
                throw ValidationError("\(flag) “\(text)” is no time, such as 2026-11-24")
            }
        }
        if on != nil && (before != nil || after != nil) {
            throw ValidationError("give --on, or --before and --after")
        }
        if undo && (selects || purge) {
            throw ValidationError("--undo brings back the last command; it takes no selection")
        }
        if !selects && !undo && !purge {
            throw ValidationError("say what: --id, --query, --before, --after or --on")
        }
        if let query, ForgetSelection(query: query).isEmpty {
            throw ValidationError("--query has no words")
        }
    }

    func run() throws {
        let console = output.console
        let adapter = URL(fileURLWithPath: adapterDir, isDirectory: true)
        let root = adapter.deletingLastPathComponent()
        // A night that runs would promote an adapter that has read what is to be forgotten.
        let lock =
            FileManager.default.fileExists(atPath: root.path)
            ? try NightLock.take(for: adapter, console: console) : nil
        defer { withExtendedLifetime(lock) {} }
        let log = URL(fileURLWithPath: memoryFile)
        let completed = try PendingForget.complete(log: log)
        ForgetWording.show(completed, console: console)
        let forgetting = Forgetting(
            log: log, storeFolder: URL(fileURLWithPath: ragDir, isDirectory: true),
            adapterRoot: root, embedder: undo ? try? SentenceEmbedder.installed() : nil)
        let traces = NightTraces(adapter: adapter, log: log)
        if undo { return try bringBack(forgetting, completed: completed, console: console) }
        if !selects {
            try purge(forgetting, console: console)
            try removeVersions(traces, console: console)
            return try discardUnfinishedNight(traces, console: console)
        }

        let plan = try forgetting.plan(selection)
        if plan.exchanges.isEmpty {
            if output.json { try console.json(report(plan, done: false)) }
            console.note("no exchange fits")
            if completed == .none { throw ExitCode(2) }
            return
        }
        if !output.json { show(plan, console: console) }
        guard yes || isConfirmed(plan, console: console) else {
            if output.json { try console.json(report(plan, done: false)) }
            console.note("nothing was changed; --yes forgets them")
            throw ExitCode(2)
        }
        try forgetting.forget(plan, purging: purge)
        if purge {
            try discardUnfinishedNight(traces, console: console)
            try removeVersions(traces, console: console)
        }
        if output.json { return try console.json(report(plan, done: true)) }
        console.result(
            "forgotten: \(plan.lineCount) lines of the log, \(plan.storedCount) exchanges of the "
                + "store" + (purge ? ", for good" : "; --undo brings them back"))
        ForgetWording.showStale(plan.adapters, purged: purge, console: console)
    }

    private var selection: ForgetSelection {
        var time: Range<Date>?
        if let day = on.flatMap(RagCommand.Search.date) {
            time = ForgetSelection.day(of: day)
        } else if before != nil || after != nil {
            time = ForgetSelection.time(
                from: after.flatMap(RagCommand.Search.date),
                to: before.flatMap(RagCommand.Search.date))
        }
        return ForgetSelection(ids: Set(id), query: query, time: time)
    }

    private func show(_ plan: Forgetting.Plan, console: Console) {
        for exchange in plan.exchanges {
            let date = exchange.timestamp.map(Timestamp.day) ?? "undated"
            let text = exchange.transcript.replacingOccurrences(of: "\n", with: " ").prefix(80)
            console.result("\(exchange.id)  \(date)  \(text)")
        }
        console.note(
            "\(plan.exchanges.count) exchanges: \(plan.lineCount) lines of the log, "
                + "\(plan.storedCount) in the store; trained on them: "
                + "\(plan.adaptersInUse.count) adapters in use, \(plan.keptVersions.count) kept "
                + "versions")
    }

    private func isConfirmed(_ plan: Forgetting.Plan, console: Console) -> Bool {
        guard Console.inputIsTerminal, !output.json else { return false }
        console.stream("Forget them? [y/N] ")
        return readLine().map { ["y", "yes"].contains($0.lowercased()) } ?? false
    }

    private func report(_ plan: Forgetting.Plan, done: Bool) -> Report {
        Report(
            forgotten: done,
            exchanges: plan.exchanges.map {
                Row(id: $0.id, timestamp: $0.timestamp, text: $0.transcript)
            }, lines: plan.lineCount, stored: plan.storedCount,
            staleAdapters: plan.adaptersInUse.map(\.relativePath),
            staleVersions: plan.keptVersions)
    }

    /// Removes what nights keep of the person's words: answers for reports, and versions that know
    /// what can no longer come back.
    private func removeVersions(_ traces: NightTraces, console: Console) throws {
        let nights = try traces.removeAnswers()
        if nights > 0 {
            console.note("the answers that \(nights) nights kept for their reports were removed")
        }
        let removed = try traces.removeStaleVersions()
        guard !removed.isEmpty else { return }
        console.note(
            "\(removed.count) kept versions were trained on what was forgotten, or may have been, "
                + "and were removed: " + removed.joined(separator: ", "))
    }

    private func bringBack(
        _ forgetting: Forgetting, completed: PendingForget.Outcome, console: Console
    ) throws {
        // What a killed --undo left was completed already; another one would undo too much.
        if case .broughtBack = completed { return }
        let count = try forgetting.undo()
        if output.json { return try console.json(["restored": count]) }
        guard count > 0 else {
            console.note("there is nothing to bring back")
            throw ExitCode(2)
        }
        console.result("\(count) exchanges are back")
    }

    private func purge(_ forgetting: Forgetting, console: Console) throws {
        let count = try forgetting.purge()
        if output.json { return try console.json(["purged": count]) }
        console.result("\(count) forgotten exchanges can no longer be brought back")
    }

    private func discardUnfinishedNight(_ traces: NightTraces, console: Console) throws {
        guard try traces.discardUnfinishedNight() else { return }
        console.note(
            "the unfinished night of "
                + URL(fileURLWithPath: adapterDir, isDirectory: true).relativePath
                + " held forgotten exchanges and was removed")
    }
}
