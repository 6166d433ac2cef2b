import ArgumentParser
import CircadiaApp
import CircadiaConversation
import CircadiaEvaluation
import CircadiaFiles
import CircadiaLog
import CircadiaModel
import CircadiaNight
import Foundation

/// `circadia eval-loss`: how well the model foresees the assistant's words in a log.
struct EvalLossCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval-loss",
        abstract: "Mean loss of the assistant's tokens in a chat log, in nats.")

    @Option(help: ArgumentHelp("The chat log.", valueName: "file"))
    var memoryFile = "data/memories.jsonl"

    @Option(help: "Exchanges to measure at most; 0 means all.")
    var maxSamples = 0

    @Option(help: ArgumentHelp("Append a row per exchange to this file.", valueName: "file"))
    var outCsv: String?

    @Option(help: "A name for these rows.")
    var tag = ""

    @Flag(
        help: ArgumentHelp(
            "Compare predictions with 8-bit activations to exact ones instead, for every token.",
            discussion: "Reads all that was said, in pieces of 512 tokens."))
    var compareExact = false

    @Option(help: "With --compare-exact: tokens to read at most.")
    var maxTokens = 20_000

    @Flag(
        help: ArgumentHelp(
            "Compare the adapter with the base model on general texts instead, by kind.",
            discussion: "No chat log is read. No night trains on the shipped texts."))
    var general = false

    @Option(
        help: ArgumentHelp(
            "With --general: the texts (JSON lines); default: the shipped ones.",
            valueName: "file"))
    var texts: String?

    @OptionGroup var model: ModelOptions
    @OptionGroup var adapter: AdapterOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if maxTokens < 2 { throw ValidationError("--max-tokens must be at least 2") }
        if texts != nil, !general { throw ValidationError("--texts needs --general") }
        if general, compareExact || outCsv != nil {
            throw ValidationError("--general cannot be had with --compare-exact or --out-csv")
        }
    }

    func run() throws {
        let console = output.console
        if general { return try runGeneral(console) }
        let exchanges = try LogReader.read(memoryFile, limit: maxSamples, console: console)
        let loaded = try model.loadModel()
        let adapted = try adapter.apply(to: loaded, console: console)
        if compareExact {
            let comparison = try Measurement.precision(
                of: exchanges, limit: maxTokens, model: adapted, loaded: loaded, console: console)
            if output.json { return try console.json(comparison) }
            return console.result(PrecisionTable.text(comparison))
        }
        let report = try Measurement.loss(
            of: exchanges, model: adapted, loaded: loaded, console: console)
        if let outCsv {
            try LossTable.append(report, tag: tag, to: URL(fileURLWithPath: outCsv))
        }
        if output.json { return try console.json(report) }
        console.result(
            String(
                format: "loss %.4f nats over %d tokens of %d exchanges (perplexity %.2f)",
                report.loss, report.tokens, report.samples.count, report.perplexity))
    }

    private func runGeneral(_ console: Console) throws {
        guard let directory = adapter.presentURL else {
            throw CommandFailure(
                "--general compares an adapter with the base model; there is none at "
                    + adapter.url.relativePath)
        }
        let loaded = try model.loadModel()
        let drift = try Measurement.drift(
            model: AdaptedModel(
                loaded.model,
                adapter: LoRAAdapter.load(from: directory, for: loaded.model.configuration)),
            texts: texts, loaded: loaded)
        if output.json { return try console.json(drift, pretty: false) }
        console.result(DriftTable.text(drift))
    }
}

/// `circadia eval-harness`: what the model can do, by category.
struct EvalHarnessCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval-harness",
        abstract: "Run the capability harness: greedy answers, scored, with 95% intervals.")

    @Option(
        help: ArgumentHelp("Prompts (JSON lines); default: the shipped ones.", valueName: "file"))
    var prompts: String?

    @Option(help: "Prompts at most; 0 means all.")
    var maxPrompts = 0

    @Option(help: "A name for this run.")
    var tag = ""

    @Option(help: ArgumentHelp("Write every answer and score to this file.", valueName: "file"))
    var outJsonl: String?

    @Option(help: ArgumentHelp("Write the summary to this file.", valueName: "file"))
    var outSummary: String?

    @OptionGroup var model: ModelOptions
    @OptionGroup var adapter: AdapterOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
        let loaded = try model.loadModel()
        let adapted = try adapter.apply(to: loaded, console: console)
        let report = try Measurement.harness(
            prompts: prompts, limit: maxPrompts, model: adapted, loaded: loaded,
            console: console)
        let summary = report.summary(
            tag: tag, model: loaded.name, adapter: adapter.presentURL?.relativePath,
            codeVersion: CodeVersion.current)
        if let outJsonl { try report.writeResults(to: URL(fileURLWithPath: outJsonl)) }
        if let outSummary {
            try ExperimentLog.replace(summary, at: URL(fileURLWithPath: outSummary))
        }
        if output.json { return try console.json(summary, pretty: false) }
        console.result(HarnessTable.text(summary))
    }
}

/// Reads a log and reports its bad lines.
enum LogReader {
    /// The exchanges of the log, the first `limit` of them where that is above 0.
    static func read(_ path: String, limit: Int = 0, console: Console) throws -> [Exchange] {
        let exchanges = try contents(of: path, console: console).requireExchanges()
        return limit > 0 ? Array(exchanges.prefix(limit)) : exchanges
    }

    /// What the log holds, perhaps nothing.
    static func contents(of path: String, console: Console) throws -> ChatLogContents {
        let url = URL(fileURLWithPath: path)
        try PendingForget.completeLog(url, console: console)
        let contents = try ChatLog.read(url)
        if let text = remark(on: contents.repair) { console.warn("\(path): \(text)") }
        for issue in contents.issues { console.warn("\(path): \(issue)") }
        return contents
    }

    /// What was done about a torn last line, in words; nil where it was whole.
    static func remark(on repair: ChatLogRepair) -> String? {
        switch repair {
        case .none: nil
        case .completed: "the last line lacked only its line feed, which was added"
        case .movedAside(let url):
            "the last line was torn by a crash; its bytes are now in \(url.lastPathComponent)"
        }
    }
}

/// The two measurements that several commands share.
enum Measurement {
    static func loss(
        of exchanges: [Exchange], model: AdaptedModel, loaded: LoadedModel, console: Console
    ) throws -> LossReport {
        let tokenizer = try loaded.makeTokenizer()
        let template = try ChatTemplate(
            directory: loaded.directory.url, tokenizer: tokenizer, dateString: PinnedDate.text)
        let evaluator = ChatLossEvaluator(model: model, template: template)
        return try evaluator.evaluate(exchanges) { done, total in
            if Console.errorIsTerminal {
                console.progress("loss: \(done) of \(total)", isLast: done == total)
            }
        }
    }

    static func precision(
        of exchanges: [Exchange], limit: Int, model: AdaptedModel, loaded: LoadedModel,
        console: Console
    ) throws -> PrecisionComparison {
        let tokenizer = try loaded.makeTokenizer()
        let template = try ChatTemplate(
            directory: loaded.directory.url, tokenizer: tokenizer, dateString: PinnedDate.text)
        return try PrecisionComparison.measure(
            model: model, template: template, exchanges: exchanges, contextLength: 512,
            limit: limit
        ) { done in
            if Console.errorIsTerminal {
                console.progress("\(done) of up to \(limit) tokens", isLast: done == limit)
            }
        }
    }

    /// How far the adapter moves the model on general texts, on the exact path.
    static func drift(
        model: AdaptedModel, texts path: String?, loaded: LoadedModel
    ) throws -> GeneralDrift {
        guard
            let url = path.map({ URL(fileURLWithPath: $0) })
                ?? ShippedFiles.locate("eval/gate.jsonl")
        else {
            throw CommandFailure(
                "the general texts were not found; run from the checkout, install with "
                    + "'make install', or give --texts FILE")
        }
        let tokenizer = try loaded.makeTokenizer()
        let template = try ChatTemplate(
            directory: loaded.directory.url, tokenizer: tokenizer, dateString: PinnedDate.text)
        guard
            let drift = GeneralDrift.measure(
                model: model.with(precision: .exact), tokenizer: tokenizer, template: template,
                texts: try GeneralText.load(url))
        else { throw CommandFailure("\(url.relativePath): nothing in it is scored") }
        return drift
    }

    static func harness(
        prompts path: String?, limit: Int, model: AdaptedModel, loaded: LoadedModel,
        console: Console
    ) throws -> HarnessReport {
        guard
            let url = path.map({ URL(fileURLWithPath: $0) })
                ?? ShippedFiles.locate("eval/harness.jsonl")
        else {
            throw CommandFailure(
                "the harness's prompts were not found; run from the checkout, install with "
                    + "'make install', or give --prompts FILE")
        }
        var prompts = try HarnessPrompt.load(url)
        if limit > 0 { prompts = Array(prompts.prefix(limit)) }
        let tokenizer = try loaded.makeTokenizer()
        let template = try ChatTemplate(
            directory: loaded.directory.url, tokenizer: tokenizer, dateString: PinnedDate.text)
        let harness = Harness(
            subject: ModelSubject(model: model, tokenizer: tokenizer, template: template))
        return try harness.run(prompts) { done, total in
            if Console.errorIsTerminal {
                console.progress("harness: \(done) of \(total)", isLast: done == total)
            }
        }
    }
}

/// The date that templates show where text is trained or measured: pinned, so that the same exchange
/// is the same tokens every day.
enum PinnedDate {
    static let text = "26 Jul 2024"
}

/// A comparison of precisions, a line a figure.
enum PrecisionTable {
    static func text(_ comparison: PrecisionComparison) -> String {
        String(
            format: """
                8-bit against exact, %d predictions
                KL(exact || 8-bit)  mean %.5f, 99.9%% of them up to %.4f, largest %.4f nats
                perplexity          %.3f instead of %.3f (%+.3f%%)
                same top token      %.2f%%
                """, comparison.tokens, comparison.meanKL, comparison.quantile999KL,
            comparison.maximumKL, comparison.int8Perplexity, comparison.exactPerplexity,
            100 * comparison.perplexityChange, 100 * comparison.sameTopShare)
    }
}

/// Perplexities of general texts as a table.
enum DriftTable {
    static func text(_ drift: GeneralDrift) -> String {
        let rows = drift.kinds.map {
            $0.kind.padding(toLength: 12, withPad: " ", startingAt: 0)
                + String(
                    format: "perplexity %7.2f → %7.2f  %+6.1f%%  KL %.3f  (%d tokens)",
                    exp($0.lossBase), exp($0.loss), 100 * $0.perplexityChange, $0.divergence,
                    $0.tokens)
        }
        return rows.joined(separator: "\n")
    }
}

/// The harness's summary as a table.
enum HarnessTable {
    static func text(_ summary: HarnessSummary) -> String {
        func row(_ name: String, _ passed: Int, _ total: Int, _ low: Double, _ high: Double)
            -> String
        {
            name.padding(toLength: 15, withPad: " ", startingAt: 0)
                + String(format: "%3d of %3d   %3.0f–%.0f%%", passed, total, low * 100, high * 100)
        }
        var lines = summary.categories.keys.sorted().compactMap { name -> String? in
            summary.categories[name].map {
                row(name, $0.passed, $0.total, $0.ci95.first ?? 0, $0.ci95.last ?? 0)
            }
        }
        lines.append(
            row(
                "all", summary.passed, summary.total, summary.ci95.first ?? 0,
                summary.ci95.last ?? 0))
        return lines.joined(separator: "\n")
    }
}
