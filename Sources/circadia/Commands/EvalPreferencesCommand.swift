import ArgumentParser
import CircadiaApp
import CircadiaEvaluation
import CircadiaModel
import Foundation

/// `circadia eval-preferences`: measures how many answers follow stated preferences.
struct EvalPreferencesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval-preferences",
        abstract: "Measure how many answers follow stated preferences, with 95% intervals.",
        discussion:
            "Without --stated the prompt does not mention the preference, so answers show only what "
            + "was learnt.")

    @Option(
        help: ArgumentHelp(
            "The preferences (JSON lines). (default: those that ship with the program)",
            valueName: "file"))
    var preferences: String?

    @Option(help: ArgumentHelp("Measure this preference only; may be repeated.", valueName: "id"))
    var only: [String] = []

    @Option(
        help:
            "State the preference in the prompt: in the system message, or in an earlier chat turn."
    )
    var stated = PreferenceTask.Prompt.absent

    @Option(help: "Most tokens of an answer.")
    var maxTokens = 160

    @OptionGroup var model: ModelOptions
    @OptionGroup var adapter: AdapterOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if maxTokens < 1 { throw ValidationError("--max-tokens must be at least 1") }
    }

    func run() throws {
        let console = output.console
        guard
            let url = preferences.map({ URL(fileURLWithPath: $0) })
                ?? ShippedFiles.locate("eval/preferences.jsonl")
        else {
            throw CommandFailure(
                "the preferences were not found; run from the checkout, install with "
                    + "'make install', or give --preferences FILE")
        }
        var tasks = try PreferenceTask.load(url)
        if let unknown = only.first(where: { id in !tasks.contains { $0.id == id } }) {
            throw CommandFailure(
                "\(url.relativePath) has no preference '\(unknown)'; it has "
                    + tasks.map(\.id).joined(separator: ", "))
        }
        if !only.isEmpty { tasks.removeAll { !only.contains($0.id) } }
        let loaded = try model.loadModel()
        let adapted = try adapter.apply(to: loaded, console: console)
        let tokenizer = try loaded.makeTokenizer()
        let template = try loaded.makeTemplate(tokenizer, dateString: PinnedDate.text)
        let report = try PreferenceReport.measure(
            tasks, prompt: stated,
            subject: ModelSubject(model: adapted, tokenizer: tokenizer, template: template),
            maxTokens: maxTokens
        ) { done, total in
            if Console.errorIsTerminal {
                console.progress("answers: \(done) of \(total)", isLast: done == total)
            }
        }
        if output.json { return try console.json(Document(report)) }
        for preference in report.preferences {
            let score = preference.score
            console.result(
                preference.id.padding(toLength: 15, withPad: " ", startingAt: 0)
                    + String(
                        format: "%3d of %3d   %3.0f–%.0f%%", score.passed, score.total,
                        (score.ci95.first ?? 0) * 100, (score.ci95.last ?? 0) * 100))
        }
        console.result(String(format: "mean share %.3f", report.share))
    }

    /// The report with its mean.
    private struct Document: Encodable {
        let stated: PreferenceTask.Prompt
        let share: Double
        let preferences: [PreferenceScore]

        init(_ report: PreferenceReport) {
            stated = report.prompt
            share = report.share
            preferences = report.preferences
        }
    }
}

extension PreferenceTask.Prompt: ExpressibleByArgument {}
