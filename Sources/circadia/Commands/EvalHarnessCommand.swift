import ArgumentParser
import CircadiaEvaluation
import CircadiaFiles
import CircadiaNight
import Foundation

/// `circadia eval-harness`: measures general skills by category.
struct EvalHarnessCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval-harness",
        abstract: "Measure general skills: score greedy answers to the harness, with 95% intervals."
    )

    @Option(
        help: ArgumentHelp(
            "The harness's tasks (JSON lines). (default: those that ship with the program)",
            valueName: "file"))
    var prompts: String?

    @Option(help: "Most tasks to run; 0 means all.")
    var maxPrompts = 0

    @Option(help: "A name for this run, for the summary.")
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
            try RecordJSON.replace(URL(fileURLWithPath: outSummary), with: summary)
        }
        if output.json { return try console.json(summary, pretty: false) }
        console.result(HarnessTable.text(summary))
    }
}
