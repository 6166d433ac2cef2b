import ArgumentParser
import CircadiaApp
import CircadiaConversation
import CircadiaModel
import Foundation

/// `circadia forget`: removes exchanges from the log, the store and, at the next sleep, the
/// weights.
struct ForgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract:
            "Remove exchanges from the log, the store and, at the next sleep, the weights.",
        discussion: """
            Shows the exchanges and asks before it removes them. --undo brings them back until \
            --purge. Adapters that were trained on them become stale, and the next sleep retrains \
            without them.
            """)

    @Option(help: "Forget the exchange with this id; may be repeated.")
    var id: [String] = []

    @Option(help: "Forget exchanges that contain all of these words.")
    var query: String?

    @Option(help: "Forget exchanges before this time (RFC 3339, or a day).")
    var before: String?

    @Option(help: "Forget exchanges from this time on (RFC 3339, or a day).")
    var after: String?

    @Option(help: ArgumentHelp("Forget exchanges of this day (UTC).", valueName: "yyyy-mm-dd"))
    var on: String?

    @Flag(help: "Forget without asking.")
    var yes = false

    @Flag(help: "Bring back the exchanges that the last command forgot.")
    var undo = false

    @Flag(help: "Make forgetting final, for earlier commands too: nothing can be brought back.")
    var purge = false

    @Option(help: ArgumentHelp("The chat log.", valueName: "file"))
    var memoryFile = "data/memories.jsonl"

    @Option(help: ArgumentHelp("The retrieval store's folder.", valueName: "dir"))
    var ragDir = "data/rag_memory"

    @Option(
        help: ArgumentHelp(
            "The adapter's folder; adapters next to it are checked too.", valueName: "dir"))
    var adapterDir = "adapters/nightly_update"

    @OptionGroup var output: OutputOptions

    /// The JSON output: what the command did, or would do.
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
                throw ValidationError("\(flag) “\(text)” is not a time; write it as 2026-11-24")
            }
        }
        if on != nil && (before != nil || after != nil) {
            throw ValidationError("give either --on, or --before and --after")
        }
        if undo && (selects || purge) {
            throw ValidationError("--undo cannot be combined with a selection or --purge")
        }
        if !selects && !undo && !purge {
            throw ValidationError(
                "name the exchanges with --id, --query, --before, --after or --on")
        }
        if let query, ForgetSelection(query: query).isEmpty {
            throw ValidationError("--query has no words")
        }
    }

    func run() throws {
        let console = output.console
        let adapter = URL(fileURLWithPath: adapterDir, isDirectory: true)
        let root = adapter.deletingLastPathComponent()
        // A running night would promote an adapter that was trained on these exchanges.
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
            console.note("no exchange matches")
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

    /// Removes what nights keep of the person's words: answers for reports, and stale versions.
    private func removeVersions(_ traces: NightTraces, console: Console) throws {
        let nights = try traces.removeAnswers()
        if nights > 0 {
            console.note("removed the answers that \(nights) nights kept for their reports")
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
        // A killed --undo was already completed above; a second one would undo too much.
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
