import ArgumentParser
import CircadiaEvaluation
import CircadiaModel
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
                loaded.model, adapter: loaded.loadAdapter(from: directory)),
            texts: texts, loaded: loaded)
        if output.json { return try console.json(drift, pretty: false) }
        console.result(DriftTable.text(drift))
    }
}
