/// What can go wrong with the retrieval store.
///
/// Payloads hold paths, line numbers and system error numbers, never what was said.
package enum RetrievalError: Error, Sendable, Equatable {
    /// The database of a retrieval store cannot be opened or used.
    case storeFailed(path: String, detail: String)
    /// The database is damaged.
    case storeCorrupt(path: String, detail: String)
    /// The database was written by a newer version of the program.
    case storeTooNew(path: String)
    /// Another program holds the database for too long.
    case storeBusy(path: String)
    /// The store's vectors were made by another embedder.
    case embedderMismatch(path: String, stored: String, given: String)
    /// The embedder did not give one vector of its dimension for each text.
    case embeddingShape(expectedCount: Int, count: Int, dimension: Int)
    /// The embedder failed.
    case embeddingFailed(detail: String)
    /// A question is asked with nothing in it.
    case queryEmpty
    /// An address is none of a Chroma server's.
    case chromaAddressInvalid(address: String)
    /// No Chroma server answers there.
    case chromaUnreachable(address: String, detail: String)
    /// A Chroma server refused a request; `kind` is its own name for the reason.
    case chromaRefused(address: String, status: Int, kind: String?)
    /// What answers there does not speak Chroma's HTTP API v2.
    case chromaAnswerBroken(address: String)
    /// The collection was made by another program, or a newer one.
    case chromaForeign(address: String)
}
