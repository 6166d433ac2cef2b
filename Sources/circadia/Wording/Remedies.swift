import CircadiaApp
import CircadiaFormats
import CircadiaHub
import CircadiaLog
import CircadiaRetrieval
import CircadiaTraining

/// Remedies for errors, with the command line's flags and commands. The libraries' messages say
/// what happened and where, and name no flags.
package enum Remedies {
    /// The message of an error, with its remedy if it has one.
    package static func message(of error: any Error) -> String {
        let text = String(describing: error)
        guard let remedy = remedy(for: error) else { return text }
        // A remedy that begins with a punctuation mark continues the error's sentence.
        guard let first = remedy.first, ";,".contains(first) else { return "\(text) \(remedy)" }
        return (text.hasSuffix(".") ? String(text.dropLast()) : text) + remedy
    }

    /// The error, with its remedy in its message if it has one.
    package static func worded(_ error: any Error) -> any Error {
        remedy(for: error) == nil ? error : CommandFailure(message(of: error))
    }

    /// What to do about an error; nil if the error's own message says it.
    package static func remedy(for error: any Error) -> String? {
        switch error {
        case let error as LogError: remedy(for: error)
        case let error as DownloadError: remedy(for: error)
        case let error as RetrievalError: remedy(for: error)
        case let error as TrainingError: remedy(for: error)
        case let error as FormatError: remedy(for: error)
        case let error as NightPlaceError: remedy(for: error)
        case ForgetError.journalBroken:
            "Move it away to continue without it, and check the log with circadia memory search."
        default: nil
        }
    }

    private static func remedy(for error: LogError) -> String? {
        switch error {
        case .logMissing, .logEmpty(_, 0):
            "Chat first (circadia chat), or name another log with --memory-file."
        default: nil
        }
    }

    private static func remedy(for error: DownloadError) -> String? {
        guard case .serverRefused(_, let status) = error else { return nil }
        return switch status {
        case 401, 403: "It needs a login; download the file yourself and give it with --from."
        case 404, 410: "Nothing is there; give another address or a file with --from."
        case 429, 500...: "Try again later, or give a file with --from."
        default: "Give another address or a file with --from."
        }
    }

    private static func remedy(for error: RetrievalError) -> String? {
        switch error {
        case .storeFailed: "Check the folder's permissions, or name another with --rag-dir."
        case .storeCorrupt:
            "Move the folder away and run circadia rag ingest --all: the chat log has every exchange."
        case .storeTooNew: "Update this one, or name another folder with --rag-dir."
        case .embedderMismatch: "Clear the store (circadia rag clear) and ingest again."
        case .chromaUnreachable:
            "Start it (chroma run --path DIR --port N) or correct --rag-url, then run the command "
                + "again; the chat log has every exchange."
        case .chromaRefused(_, 404, _), .chromaRefused(_, 410, _):
            "Check tenant, database and collection in --rag-url, and that the server is Chroma 0.6 "
                + "or newer."
        case .chromaForeign: "Name another at the end of --rag-url: …/collections/NAME."
        default: nil
        }
    }

    private static func remedy(for error: TrainingError) -> String? {
        switch error {
        case .nothingToTrain: "Chat first, or raise --max-seq-len."
        case .adapterMismatch:
            "Start anew with --reset-adapter, or use the model that the adapter was trained on."
        case .diverged: "Lower --learning-rate or --lora-scale."
        case .memoryLimit(_, let least, _, _):
            "Raise --memory-limit to \(TrainingError.gigabytes(least)), or lower --max-seq-len, "
                + "--lora-layers or --lora-r."
        case .timeLimit:
            "Name a later time with --finish-by, or lower --batch-size or --max-seq-len."
        case .checkpoint(_, .unreadable), .checkpoint(_, .unknownFormat):
            "Start anew without --resume."
        case .checkpoint(_, .otherTraining):
            "Give the same options as before, or start anew without --resume."
        default: nil
        }
    }

    private static func remedy(for error: FormatError) -> String? {
        switch error {
        case .adapter(_, .notAnAdapter): "; 'circadia model import' takes models."
        case .adapter(_, .notExpressible): "; export --format fused writes a whole model instead."
        case .store(.notFound(let name, true, _)):
            "; download it with: circadia model pull \(name)."
        case .store(.notFound(_, false, let choices)):
            "; “circadia model pull NAME” downloads one of these: "
                + choices.joined(separator: ", ") + "."
        case .store(.notAModel):
            "; convert a GGUF file with: circadia model import FILE.gguf --out DIR."
        default: nil
        }
    }

    private static func remedy(for error: NightPlaceError) -> String? {
        switch error {
        case .isFile: "; name another with --adapter-dir"
        case .isKeptVersion(_, let version):
            "; put it in use with 'circadia adapter use \(version)', or name another folder with "
                + "--adapter-dir"
        }
    }
}
