import ArgumentParser
import CircadiaEvaluation
import CircadiaModel
import Foundation

/// `circadia eval-loss`: measures how well the model predicts the assistant's words in a log.
struct EvalLossCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval-loss",
        abstract: "Measure the mean loss of the assistant's tokens in a chat log, in nats.")

    @Option(help: ArgumentHelp("The chat log.", valueName: "file"))
    var memoryFile = "data/memories.jsonl"

    @Option(help: "Most exchanges to measure; 0 means all.")
    var maxSamples = 0

    @Option(help: ArgumentHelp("Append a row per exchange to this file.", valueName: "file"))
    var outCsv: String?

    @Option(help: "A name for the rows of --out-csv.")
    var tag = ""

    @Flag(
        help: ArgumentHelp(
            "Compare predictions with 8-bit activations to exact ones instead.",
            discussion: "Reads every token of the log, in pieces of 512."))
    var compareExact = false

    @Option(help: "Most tokens to read (with --compare-exact).")
    var maxTokens = 20_000

    @Flag(
        help: ArgumentHelp(
            "Compare the adapter with the base model on general texts instead.",
            discussion:
                "Reads no chat log. No night trains on the texts that ship with the program."))
    var general = false

    @Option(
        help: ArgumentHelp(
            "The texts of --general (JSON lines). (default: those that ship with the program)",
            valueName: "file"))
    var texts: String?

    @OptionGroup var model: ModelOptions
    @OptionGroup var adapter: AdapterOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if maxTokens < 2 { throw ValidationError("--max-tokens must be at least 2") }
        if texts != nil, !general { throw ValidationError("--texts needs --general") }
        if general, compareExact || outCsv != nil {
            throw ValidationError("--general cannot be combined with --compare-exact or --out-csv")
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
                "\(adapter.url.relativePath): there is no adapter to compare with the base model; "
                    + "name one with --adapter-dir")
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
