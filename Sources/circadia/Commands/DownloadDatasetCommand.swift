import CircadiaFiles
import ArgumentParser
import CircadiaHub
import Foundation

/// `circadia download-dataset`: downloads public instruction data in ShareGPT form.
struct DownloadDatasetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "download-dataset",
        abstract: "Download Dolly or Alpaca and write it as ShareGPT JSON lines.",
        discussion: """
            An interrupted download resumes. Dolly is licensed CC BY-SA; Alpaca is for non-commercial \
            use only.
            """)

    @Option(help: "The data set: dolly (15K records) or alpaca (52K).")
    var dataset: Dataset

    @Option(
        help: ArgumentHelp("Write to this file. (default: data/DATASET.jsonl)", valueName: "file"))
    var out: String?

    @Option(
        help: ArgumentHelp(
            "Read a local copy, or download from another address.", valueName: "file|url"))
    var from: String?

    @OptionGroup var output: OutputOptions

    struct Result: Encodable {
        let records: Int
        let out: String
        let sha256: String
    }

    func run() throws {
        let console = output.console
        let target = URL(fileURLWithPath: out ?? "data/\(dataset.rawValue).jsonl")
        let source: URL
        let sha256: String
        var downloaded: URL?
        if let from, !from.hasPrefix("http://"), !from.hasPrefix("https://") {
            source = URL(fileURLWithPath: from)
            sha256 = try ContentDigest.hexadecimal(ofFile: source)
        } else {
            source = target.deletingLastPathComponent().appendingPathComponent(dataset.fileName)
            let report = try DatasetDownloader().download(from ?? dataset.address, to: source) {
                received, total in
                guard Console.errorIsTerminal else { return true }
                let share = total.map { String(format: " of %.1f", Double($0) / 1e6) } ?? ""
                console.progress(
                    String(format: "%.1f%@ MB", Double(received) / 1e6, share),
                    isLast: received == total)
                return true
            }
            sha256 = report.sha256
            downloaded = source
        }
        console.note("SHA-256 \(sha256)  \(source.lastPathComponent) (\(dataset.license))")
        let records = try dataset.convert(source, to: target)
        if let downloaded, downloaded != target {
            try? FileManager.default.removeItem(at: downloaded)
        }
        if output.json {
            return try console.json(Result(records: records, out: target.path, sha256: sha256))
        }
        console.result("\(records) records written to \(target.relativePath)")
    }
}

extension Dataset: ExpressibleByArgument {}
