import ArgumentParser
import CircadiaApp
import CircadiaRetrieval
import Foundation

/// The retrieval store that a command uses.
struct StoreOptions: ParsableArguments {
    enum Backend: String, ExpressibleByArgument, CaseIterable { case sqlite, chroma }

    @Option(help: ArgumentHelp("The retrieval store's folder.", valueName: "dir"))
    var ragDir = "data/rag_memory"

    @Option(help: "Where the store keeps exchanges: sqlite in that folder, or a chroma server.")
    var ragBackend = Backend.sqlite

    @Option(
        name: .customLong("rag-url"),
        help: ArgumentHelp(
            "The Chroma server, such as http://127.0.0.1:8000. The token comes from "
                + "CIRCADIA_CHROMA_TOKEN.", valueName: "url"))
    var ragURL: String?

    func validate() throws {
        if ragBackend == .chroma && ragURL == nil {
            throw ValidationError("--rag-backend chroma needs --rag-url http://HOST:PORT")
        }
        if ragBackend == .sqlite && ragURL != nil {
            throw ValidationError("--rag-url needs --rag-backend chroma")
        }
    }

    /// The store that the flags name.
    func location() throws -> StoreLocation { try location(ragBackend) }

    /// The store of a backend, with the folder and the server that the flags name.
    func location(_ backend: Backend) throws -> StoreLocation {
        let folder = URL(fileURLWithPath: ragDir, isDirectory: true)
        guard backend == .chroma, let ragURL else { return .sqlite(folder: folder) }
        return .chroma(try ChromaAddress(ragURL), folder: folder)
    }

    func open() throws -> any ExchangeStore { try location().openWithEmbedder() }

    /// Opens the store for commands that embed nothing.
    func openForReading() throws -> any ExchangeStore { try location().open(embedder: nil) }
}
