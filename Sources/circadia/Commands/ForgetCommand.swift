import ArgumentParser
import CircadiaAdapters
import CircadiaAnalysis
import CircadiaApp
import CircadiaConversation
import CircadiaLog
import CircadiaModel
import CircadiaNight
import CircadiaRetrieval
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
        let completed = try PendingForget.complete(log: log, console: console)
        let forgetting = Forgetting(
            log: log, storeFolder: URL(fileURLWithPath: ragDir, isDirectory: true),
            adapterRoot: root, embedder: undo ? try? SentenceEmbedder.installed() : nil)
        if undo { return try bringBack(forgetting, completed: completed, console: console) }
        if !selects {
            try purge(forgetting, console: console)
            try removeStaleVersions(console: console)
            return try discardUnfinishedNight(console: console)
        }

        let plan = try forgetting.plan(selection)
        if plan.exchanges.isEmpty {
            if output.json { try console.json(report(plan, done: false)) }
            console.note("no exchange fits")
            if completed == nil { throw ExitCode(2) }
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
            try discardUnfinishedNight(console: console)
            try removeStaleVersions(console: console)
        }
        if output.json { return try console.json(report(plan, done: true)) }
        console.result(
            "forgotten: \(plan.lineCount) lines of the log, \(plan.storedCount) exchanges of the "
                + "store" + (purge ? ", for good" : "; --undo brings them back"))
        Self.showStale(plan.adapters, purged: purge, console: console)
    }

    private var selection: ForgetSelection {
        var time: Range<Date>?
        if let day = on.flatMap(RagCommand.Search.date) {
            let start = Date(
                timeIntervalSince1970: (day.timeIntervalSince1970 / 86_400).rounded(.down) * 86_400)
            time = start..<start.addingTimeInterval(86_400)
        } else if before != nil || after != nil {
            let start = after.flatMap(RagCommand.Search.date) ?? .distantPast
            let end = before.flatMap(RagCommand.Search.date) ?? .distantFuture
            time = start..<max(start, end)
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
                + "\(inUse(plan).count) adapters in use, \(versions(plan).count) kept versions")
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
            staleAdapters: inUse(plan).map(\.relativePath),
            staleVersions: versions(plan).map(\.lastPathComponent))
    }

    private static func isVersion(_ adapter: URL) -> Bool {
        adapter.deletingLastPathComponent().lastPathComponent == AdapterVersions.folderName
    }

    private func inUse(_ plan: Forgetting.Plan) -> [URL] {
        plan.adapters.filter { !Self.isVersion($0) }
    }

    private func versions(_ plan: Forgetting.Plan) -> [URL] {
        plan.adapters.filter(Self.isVersion)
    }

    /// Versions that know what can no longer come back go for good, and what models have said to the
    /// person's questions.
    private func removeStaleVersions(console: Console) throws {
        let adapter = URL(fileURLWithPath: adapterDir, isDirectory: true)
        let diaries = try NightDiaries(beside: adapter).removeAnswers()
        if diaries > 0 {
            console.note("the answers that \(diaries) nights kept for their reports were removed")
        }
        let log = try ChatLog.read(URL(fileURLWithPath: memoryFile), repairing: false)
        // What is only tagged “no-train” is still in the log, and the tag can be taken back.
        let removed = try AdapterVersions(beside: adapter).removeStale(
            keepingThoseOf: Set(log.exchanges.cleaned.map(\.hash)))
        guard !removed.isEmpty else { return }
        console.note(
            "\(removed.count) kept versions were trained on what was forgotten, or may have been, "
                + "and were removed: " + removed.map(\.name).joined(separator: ", "))
    }

    private func bringBack(
        _ forgetting: Forgetting, completed: Int?, console: Console
    ) throws {
        // What a killed --undo left was completed already; another one would undo too much.
        if let completed, completed < 0 { return }
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

    /// A night that waits to be resumed holds its exchanges as tokens. It is kept as long as what was
    /// forgotten can come back.
    private func discardUnfinishedNight(console: Console) throws {
        let adapter = URL(fileURLWithPath: adapterDir, isDirectory: true)
        let log = try ChatLog.read(URL(fileURLWithPath: memoryFile), repairing: false)
        if UnfinishedNight(of: adapter).discard(unlessAllIn: log.exchanges.cleaned) {
            console.note(
                "the unfinished night of \(adapter.relativePath) held forgotten exchanges and was "
                    + "removed")
        }
    }

    /// Says what becomes of adapters that were marked stale, those in use and kept versions.
    static func showStale(_ adapters: [URL], purged: Bool = false, console: Console) {
        for adapter in adapters where !isVersion(adapter) {
            console.note(
                "\(adapter.relativePath) was trained on them, or may have been: the next sleep "
                    + "retrains without them; until then --no-adapter runs the base model")
        }
        let names = adapters.filter(isVersion).map(\.lastPathComponent)
        if !names.isEmpty, !purged {
            console.note(
                "so were the kept versions \(names.joined(separator: ", ")), which can no longer be "
                    + "used")
        }
    }
}

/// Completes what a killed `forget` left, for every command that reads the log.
enum PendingForget {
    /// How many exchanges it was about, negative where they came back; nil where nothing was left.
    @discardableResult
    static func complete(log: URL, console: Console) throws -> Int? {
        guard
            let pending = try Forgetting.completePending(
                log: log, embedder: { try? SentenceEmbedder.installed() })
        else {
            return nil
        }
        console.note("an interrupted forget of \(abs(pending)) exchanges was completed")
        return pending
    }

    /// As `complete`, for commands that only need the log, which is in order before any collection
    /// is asked: a server that does not answer is told of, and its turn comes later.
    static func completeLog(_ log: URL, console: Console) throws {
        do {
            try complete(log: log, console: console)
        } catch RetrievalError.chromaUnreachable(let address, _) {
            console.note("a forget that was interrupted waits until \(address) answers")
        } catch RetrievalError.chromaRefused(let address, let status, _) {
            console.note(
                "a forget that was interrupted waits until \(address) lets it in (status \(status))"
            )
        }
    }
}
