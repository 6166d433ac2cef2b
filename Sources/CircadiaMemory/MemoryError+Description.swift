import Foundation

extension MemoryError: CustomStringConvertible {
    /// The message shown to people.
    public var description: String {
        switch self {
        case .logMissing(let path):
            "\(path): there is no chat log here. Chat first (circadia chat), or name another "
                + "log with --memory-file."
        case .logEmpty(let path, 0):
            "\(path): the chat log is empty. Chat first (circadia chat), or name another log "
                + "with --memory-file."
        case .logEmpty(let path, let skippedLines):
            "\(path): no line of this chat log can be read (\(skippedLines) skipped). Expected "
                + "one JSON object a line with “messages” or “conversations”."
        case .exchangeEmpty(let id):
            "exchange \(id): it has no messages, so there is nothing to log."
        case .unreadable(let path, let code):
            "\(path): cannot be read: \(Self.systemText(code)). \(Self.readRemedy(code))"
        case .unwritable(let path, let code):
            "\(path): cannot be written: \(Self.systemText(code)). \(Self.writeRemedy(code))"
        case .folderNotMade(let path, let code):
            "\(path): the folder cannot be made: \(Self.systemText(code)). "
                + Self.writeRemedy(code)
        case .journalBroken(let path):
            "\(path): this record of what was to be forgotten cannot be read. Move it away to go on "
                + "without it, and check the log with circadia memory search."
        case .importUnknown(let path, let expected):
            "\(path): nothing in this file can be imported. Expected \(expected)."
        case .storeFailed(let path, let detail):
            "\(path): the retrieval store cannot be used: \(detail). Check the folder's "
                + "permissions, or name another with --rag-dir."
        case .storeCorrupt(let path, let detail):
            "\(path): the retrieval store is damaged: \(detail). Move the folder away and run "
                + "circadia rag ingest --all: the chat log holds everything that was in it."
        case .storeTooNew(let path):
            "\(path): the retrieval store was written by a newer circadia. Update this one, or "
                + "name another folder with --rag-dir."
        case .storeBusy(let path):
            "\(path): another program keeps the retrieval store locked. Try again when it is "
                + "done."
        case .embedderMismatch(let path, let stored, let given):
            "\(path): the vectors were made by \(stored), but the embedder is \(given). Clear "
                + "the store (circadia rag clear) and ingest again."
        case .embeddingShape(let expectedCount, let count, let dimension):
            "the embedder gave \(count) vectors for \(expectedCount) texts, or vectors that are "
                + "not of its \(dimension) dimensions. Check the model of the embedder."
        case .embeddingFailed(let detail):
            "the embedder failed: \(detail)"
        case .queryEmpty:
            "the question is empty. Give some words to search for."
        case .questionBroken(let path, let line):
            "\(path): line \(line) is no question. Expected a JSON object with “question” and, "
                + "for scoring, “evidence”."
        case .addressInvalid(let address):
            "\(address): this is neither a file nor an http address."
        case .serverRefused(let address, let status):
            "\(address): the server answered with status \(status). \(Self.statusRemedy(status))"
        case .connectionFailed(let address, let detail, let partial):
            "\(address): the connection failed: \(detail). What has arrived is in \(partial); "
                + "run the command again to go on from there."
        case .downloadTruncated(let address, let expected, let received, let partial):
            "\(address): \(received) of \(expected) bytes arrived. They are in \(partial); run "
                + "the command again to go on from there."
        case .datasetMalformed(let path, let record, let expected):
            "\(path): record \(record) is not of this dataset. Expected \(expected)."
        case .chromaAddressInvalid(let address):
            "\(address): this is no address of a Chroma server. Expected "
                + "http://HOST:PORT, if need be with "
                + "/api/v2/tenants/T/databases/D/collections/C after it; a token goes into "
                + "\(ChromaAddress.tokenVariable)."
        case .chromaUnreachable(let address, let detail):
            "\(address): no Chroma server answers here: \(detail). Start it (chroma run --path "
                + "DIR --port N) or correct --rag-url, then run the command again: what is in "
                + "the chat log is not lost."
        case .chromaRefused(let address, let status, let kind):
            "\(address): the Chroma server refused with status \(status)"
                + (kind.map { " (\($0))" } ?? "") + ". " + Self.chromaRemedy(status)
        case .chromaAnswerBroken(let address):
            "\(address): what answers here does not speak Chroma's HTTP API v2. Check the "
                + "address, and that the server is Chroma 0.6 or newer."
        case .chromaForeign(let address):
            "\(address): this collection was not made by circadia, or by a newer one, and is left "
                + "as it is. Name another at the end of --rag-url: …/collections/NAME."
        }
    }

    private static func systemText(_ code: Int32) -> String { String(cString: strerror(code)) }

    private static func readRemedy(_ code: Int32) -> String {
        switch code {
        case EACCES, EPERM: "Give yourself the right to read it (chmod u+r)."
        case EISDIR: "Name a file, not a folder."
        case ENOENT: "Check the path."
        default: "Check the disk and the path."
        }
    }

    private static func writeRemedy(_ code: Int32) -> String {
        switch code {
        case ENOSPC, EDQUOT: "Nothing was lost; free some space and try again."
        case EACCES, EPERM, EROFS: "Make the place writable, or name another path."
        case EISDIR: "Name a file, not a folder."
        case ENOTDIR: "Part of the path is a file, not a folder; name another path."
        case EFBIG: "The file has reached the size that is allowed; name another path."
        default: "Check the disk and the path."
        }
    }

    private static func chromaRemedy(_ status: Int) -> String {
        switch status {
        case 401, 403:
            "Put the server's token into \(ChromaAddress.tokenVariable) (the environment, not a "
                + "flag: flags show in lists of processes)."
        case 300...399: "Name the address that it redirects to."
        case 404, 410:
            "Check tenant, database and collection in --rag-url, and that the server is Chroma "
                + "0.6 or newer."
        case 429, 500...: "It was tried several times; look at the server's log and try again."
        default: "Look at the server's log, and that its version is not newer than tested (1.5)."
        }
    }

    private static func statusRemedy(_ status: Int) -> String {
        switch status {
        case 401, 403: "It wants a login; download by hand and give the file with --from."
        case 404, 410: "Nothing is there; give another address or a file with --from."
        case 429, 500...: "Try again later, or give a file with --from."
        default: "Give another address or a file with --from."
        }
    }
}

extension MemoryError: LocalizedError {
    /// The same text as `description`.
    public var errorDescription: String? { description }
}
