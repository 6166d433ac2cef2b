import ArgumentParser
import CircadiaConversation
import CircadiaEvaluation
import CircadiaFiles
import CircadiaFormats
import CircadiaModel
import CircadiaNight
import Foundation

/// `circadia run-cycle`: evaluates, sleeps, evaluates again and logs the difference.
struct RunCycleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run-cycle",
        abstract: "Evaluate, sleep, evaluate again, and log the difference.",
        discussion: """
            Takes every flag of 'circadia sleep' with the prefix --sleep-, such as \
            --sleep-iters 50 or --sleep-reset-adapter ('circadia sleep --help' lists them).
            """)

    @Option(help: "A name for this run, for the logs.")
    var tag = "cycle"

    @Option(help: ArgumentHelp("The chat log.", valueName: "file"))
    var memoryFile = "data/memories.jsonl"

    @Option(help: "Measure the loss of this many exchanges before and after; 0 means all.")
    var maxSamples = 0

    @Option(
        help: ArgumentHelp(
            "The harness's tasks (JSON lines). (default: those that ship with the program)",
            valueName: "file"))
    var prompts: String?

    @Option(help: "Most harness tasks to run; 0 means all.")
    var maxPrompts = 0

    @Option(help: ArgumentHelp("The folder for the records.", valueName: "dir"))
    var logsDir = "logs"

    @OptionGroup var store: NightStoreFlags
    @OptionGroup var model: ModelOptions
    @OptionGroup var adapter: AdapterOptions
    @OptionGroup var output: OutputOptions

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var sleepArguments: [String] = []

    func validate() throws { _ = try sleepFlags() }

    /// The flags of the night, from the `--sleep-` ones.
    func sleepFlags() throws -> SleepFlags {
        let arguments = try sleepArguments.map { argument in
            guard argument.hasPrefix("-"), Double(argument) == nil else { return argument }
            guard argument.hasPrefix("--sleep-") else {
                throw ValidationError("Unknown option '\(argument)'")
            }
            return "--" + argument.dropFirst("--sleep-".count)
        }
        do {
            return try SleepFlags.parse(arguments)
        } catch {
            // The parser knows the flags without their prefix; the user typed it.
            throw ValidationError(
                SleepFlags.message(for: error).replacingOccurrences(of: "--", with: "--sleep-"))
        }
    }

    /// One side of the comparison.
    struct Side: Encodable {
        let loss: Double
        let perplexity: Double
        let harnessPassed: Int
        let harnessTotal: Int
        let harness: [String: Int]
        let harnessTotals: [String: Int]
        let lossSeconds: Double
        let harnessSeconds: Double
    }

    /// One line of `logs/experiments.jsonl`.
    struct Record: Encodable {
        let tag: String
        let timestamp: Date
        let codeVersion: String
        let model: String
        let before: Side
        let after: Side
        let lossChange: Double
        let harnessChange: Int
        let sleep: NightReport
        let seconds: Double
    }

    func run() throws {
        let console = output.console
        let start = Date()
        let flags = try sleepFlags()
        let exchanges = try LogReader.read(memoryFile, console: console)
        let measured = maxSamples > 0 ? Array(exchanges.prefix(maxSamples)) : exchanges
        // The lock comes first: a second night is refused before minutes of measuring.
        let lock = try NightLock.take(for: adapter.url, console: console)
        defer { withExtendedLifetime(lock) {} }
        let loaded = try model.loadModel()
        let adapted = try adapter.apply(to: loaded, console: console)
        console.note("before: loss and harness")
        let before = try measure(
            measured, model: adapted, loaded: loaded, moment: "pre", console: console)
        let settings = flags.settings(
            adapterDirectory: adapter.url, logPath: memoryFile, store: store, seed: model.seed)
        let night = try NightCall(loaded: loaded, settings: settings, console: console)
            .run(exchanges)
        console.note(night.verdict.description)
        console.note("after: loss and harness")
        let after = try measure(
            measured, model: adapted.with(try adapterInUse(loaded)), loaded: loaded,
            moment: "post", console: console)

        let record = Record(
            tag: tag, timestamp: start, codeVersion: CodeVersion.current, model: loaded.name,
            before: before, after: after, lossChange: after.loss / before.loss - 1,
            harnessChange: after.harnessPassed - before.harnessPassed, sleep: NightReport(night),
            seconds: Date().timeIntervalSince(start))
        try RecordJSON.append(record, to: logFile("experiments.jsonl"))
        if output.json {
            try console.json(record)
        } else {
            console.result(Self.table(record))
        }
        if !night.isAccepted { throw ExitCode(2) }
    }

    private func logFile(_ name: String) -> URL {
        URL(fileURLWithPath: logsDir, isDirectory: true).appendingPathComponent(name)
    }

    /// The adapter after the night; nil if there is none yet.
    private func adapterInUse(_ loaded: LoadedModel) throws -> LoRAAdapter? {
        guard AdapterDirectory.isPresent(at: adapter.url) else { return nil }
        return try loaded.loadAdapter(from: adapter.url)
    }

    private func measure(
        _ exchanges: [Exchange], model: AdaptedModel, loaded: LoadedModel, moment: String,
        console: Console
    ) throws -> Side {
        let start = Date()
        let loss = try Measurement.loss(
            of: exchanges, model: model, loaded: loaded, console: console)
        let lossSeconds = Date().timeIntervalSince(start)
        try LossTable.append(loss, tag: "\(tag)-\(moment)", to: logFile("loss.csv"))
        let harness = try Measurement.harness(
            prompts: prompts, limit: maxPrompts, model: model, loaded: loaded, console: console)
        let summary = harness.summary(
            tag: "\(tag)-\(moment)", model: loaded.name,
            adapter: model.adapter == nil ? nil : adapter.url.relativePath,
            codeVersion: CodeVersion.current)
        try RecordJSON.replace(logFile("eval_summary.json"), with: summary)
        return Side(
            loss: loss.loss, perplexity: loss.perplexity, harnessPassed: summary.passed,
            harnessTotal: summary.total, harness: summary.categories.mapValues(\.passed),
            harnessTotals: summary.categories.mapValues(\.total),
            lossSeconds: lossSeconds,
            harnessSeconds: Date().timeIntervalSince(start) - lossSeconds)
    }

    /// The record as a table for people.
    static func table(_ record: Record) -> String {
        func line(_ name: String, _ before: String, _ after: String, _ change: String) -> String {
            name.padding(toLength: 32, withPad: " ", startingAt: 0)
                + [before, after, change].map {
                    String(repeating: " ", count: max(0, 10 - $0.count)) + $0
                }.joined()
        }
        func change(_ before: Double, _ after: Double) -> String {
            String(format: "%+.1f%%", (after / before - 1) * 100)
        }
        func number(_ value: Double) -> String { String(format: "%.3f", value) }
        var lines = [line("", "before", "after", "change")]
        if let before = record.sleep.heldoutLossBefore, let after = record.sleep.heldoutLossAfter {
            lines.append(
                line(
                    "loss, held-out conversations", number(before), number(after),
                    change(before, after)))
        }
        lines.append(
            line(
                "loss, whole log", number(record.before.loss), number(record.after.loss),
                change(record.before.loss, record.after.loss)))
        lines.append(
            line(
                "harness, passed of \(record.after.harnessTotal)",
                "\(record.before.harnessPassed)", "\(record.after.harnessPassed)",
                String(format: "%+d", record.harnessChange)))
        for category in record.before.harness.keys.sorted() {
            let before = record.before.harness[category] ?? 0
            let after = record.after.harness[category] ?? 0
            lines.append(
                line(
                    "  \(category)", "\(before)", "\(after)", String(format: "%+d", after - before))
            )
        }
        lines.append(
            line(
                "seconds, night / whole cycle", "", String(format: "%.0f", record.sleep.seconds),
                String(format: "%.0f", record.seconds)))
        return lines.joined(separator: "\n")
    }
}
