import Foundation

extension RetrievalError: CustomStringConvertible {
    /// The message shown to people.
    package var description: String {
        switch self {
        case .storeFailed(let path, let detail):
            "\(path): the retrieval store cannot be used: \(detail)."
        case .storeCorrupt(let path, let detail):
            "\(path): the retrieval store is damaged: \(detail)."
        case .storeTooNew(let path):
            "\(path): the retrieval store was written by a newer circadia."
        case .storeBusy(let path):
            "\(path): another program keeps the retrieval store locked. Try again when it is "
                + "done."
        case .embedderMismatch(let path, let stored, let given):
            "\(path): the vectors were made by \(stored), but the embedder is \(given)."
        case .embeddingShape(let expectedCount, let count, let dimension):
            "the embedder gave \(count) vectors for \(expectedCount) texts, or vectors that are "
                + "not of its \(dimension) dimensions. Check the model of the embedder."
        case .embeddingFailed(let detail):
            "the embedder failed: \(detail)"
        case .queryEmpty:
            "the question is empty. Give some words to search for."
        case .chromaAddressInvalid(let address):
            "\(address): this is no address of a Chroma server. Expected "
                + "http://HOST:PORT, if need be with "
                + "/api/v2/tenants/T/databases/D/collections/C after it; a token goes into "
                + "\(ChromaAddress.tokenVariable)."
        case .chromaUnreachable(let address, let detail):
            "\(address): no Chroma server answers here: \(detail)."
        case .chromaRefused(let address, let status, let kind):
            "\(address): the Chroma server refused with status \(status)"
                + (kind.map { " (\($0))" } ?? "") + "."
                + (Self.chromaRemedy(status).map { " " + $0 } ?? "")
        case .chromaAnswerBroken(let address):
            "\(address): what answers here does not speak Chroma's HTTP API v2. Check the "
                + "address, and that the server is Chroma 0.6 or newer."
        case .chromaForeign(let address):
            "\(address): this collection was not made by circadia, or by a newer one, and is left "
                + "as it is."
        }
    }

    /// What helps, unless it is to correct the address.
    private static func chromaRemedy(_ status: Int) -> String? {
        switch status {
        case 401, 403:
            "Put the server's token into \(ChromaAddress.tokenVariable) (the environment, not a "
                + "flag: flags show in lists of processes)."
        case 300...399: "Name the address that it redirects to."
        case 404, 410: nil
        case 429, 500...: "It was tried several times; look at the server's log and try again."
        default: "Look at the server's log, and that its version is not newer than tested (1.5)."
        }
    }
}

extension RetrievalError: LocalizedError {
    /// The same text as `description`.
    package var errorDescription: String? { description }
}
