import ArgumentParser
import CircadiaApp
import CircadiaModel
import CircadiaRetrieval
import Foundation

extension RagCommand {
    struct Migrate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy the store to or from a Chroma server, vectors included.",
            discussion: """
                The source stays as it is; 'circadia rag clear' empties it. Exchanges that the target \
                already has are skipped, so an interrupted command can be repeated.
                """)
        @Option(help: "Copy from this backend.") var from: StoreOptions.Backend
        @Option(help: "Copy to this backend.") var to: StoreOptions.Backend
        @Option(help: ArgumentHelp("The folder of the sqlite store.", valueName: "dir"))
        var ragDir = "data/rag_memory"
        @Option(
            name: .customLong("rag-url"),
            help: ArgumentHelp(
                "The Chroma server, such as http://127.0.0.1:8000.", valueName: "url"))
        var ragURL: String
        @OptionGroup var output: OutputOptions

        private struct Summary: Encodable { let moved, alreadyThere, embedded: Int }

        func validate() throws {
            if from == to { throw ValidationError("--from and --to must be different backends") }
        }

        func run() throws {
            let folder = URL(fileURLWithPath: ragDir, isDirectory: true)
            let embedder = try? SentenceEmbedder.installed()
            let database = try RetrievalStore(directory: folder, embedder: nil)
            let server = try ChromaStore(
                address: ChromaAddress(ragURL), folder: folder, embedder: embedder)
            func progress(_ done: Int, _ total: Int) -> Bool {
                if Console.errorIsTerminal {
                    output.console.progress("migrate: \(done) of \(total)", isLast: done == total)
                }
                return true
            }
            let report =
                try to == .chroma
                ? StoreMigration.run(from: database, to: server, progress: progress)
                : StoreMigration.run(from: server, to: database, progress: progress)
            if output.json {
                return try output.console.json(
                    Summary(
                        moved: report.moved, alreadyThere: report.alreadyThere,
                        embedded: report.embedded))
            }
            output.console.result(
                "\(report.moved) copied, \(report.alreadyThere) already there, "
                    + "\(report.embedded) without vectors and now embedded")
        }
    }
}
