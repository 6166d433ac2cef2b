import CircadiaAdapters
import ArgumentParser
import CircadiaFiles
import CircadiaNight
import CircadiaReport
import Foundation

/// `circadia report`: writes the report of a night.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write the report of a night: one page that opens offline.",
        discussion: "Exit code 2 means that there is no such night.")

    @Argument(help: ArgumentHelp("The night's number. (default: the latest)", valueName: "night"))
    var number: String?

    @Option(help: ArgumentHelp("Write the page to this file.", valueName: "file"))
    var out = "logs/report.html"

    @Flag(help: "Print the report as text instead of writing a page.")
    var text = false

    @Option(help: ArgumentHelp("The chat log.", valueName: "file"))
    var memoryFile = "data/memories.jsonl"

    @Option(help: ArgumentHelp("The adapter's folder.", valueName: "dir"))
    var adapterDir = "adapters/nightly_update"

    @Option(
        help: ArgumentHelp("The folder of the records of 'circadia run-cycle'.", valueName: "dir"))
    var logsDir = "logs"

    @OptionGroup var output: OutputOptions

    /// The commands and flags that the report's remarks name.
    static let names = CommandNames(
        store: "--rag", cycle: "circadia run-cycle", sleep: "circadia sleep",
        quickGate: "--quick-gate")

    func validate() throws {
        if let number, AdapterVersions.number(number) == nil {
            throw ValidationError("“\(number)” is not a night's number; write it as 12 or 0012")
        }
    }

    func run() throws {
        let console = output.console
        let versions = AdapterVersions(
            beside: URL(fileURLWithPath: adapterDir, isDirectory: true))
        // Without a log the report still has its figures.
        let log =
            FileManager.default.fileExists(atPath: memoryFile)
            ? try LogReader.contents(of: memoryFile, console: console).exchanges : []
        let experiments = URL(fileURLWithPath: logsDir, isDirectory: true)
            .appendingPathComponent("experiments.jsonl")
        guard
            let report = MorningReport(
                of: number.flatMap(AdapterVersions.number), versions: versions, log: log,
                experiments: experiments)
        else {
            console.warn(
                versions.nights.isEmpty
                    ? "\(versions.logURL.relativePath): there is no night yet; run 'circadia sleep'"
                    : "\(versions.logURL.relativePath): there is no night \(number ?? "")")
            throw ExitCode(2)
        }
        if output.json { return try console.json(report) }
        if text { return console.result(ReportText(report, names: Self.names).text) }
        let url = URL(fileURLWithPath: out)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try DurableFile.replace(url, with: ReportPage(report, names: Self.names).text)
        console.result(url.path)
    }
}
