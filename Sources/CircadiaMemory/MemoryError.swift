/// What can go wrong with the log, the retrieval store and downloads.
///
/// Payloads hold paths, line numbers and system error numbers, never what was said.
public enum MemoryError: Error, Sendable, Equatable {
    /// There is no log at `path`.
    case logMissing(path: String)
    /// The log holds no exchange; `skippedLines` lines of it could not be read.
    case logEmpty(path: String, skippedLines: Int)
    /// An exchange without messages was to be logged.
    case exchangeEmpty(id: String)
    /// A file cannot be read; `code` is the system's error number.
    case unreadable(path: String, code: Int32)
    /// A file cannot be written; `code` is the system's error number.
    case unwritable(path: String, code: Int32)
    /// A folder cannot be made; `code` is the system's error number.
    case folderNotMade(path: String, code: Int32)
    /// What a command that forgets wrote down about itself cannot be read.
    case journalBroken(path: String)
    /// A file to import is of no form that is known; `expected` names those.
    case importUnknown(path: String, expected: String)
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
    /// A file of questions for scoring has a broken line.
    case questionBroken(path: String, line: Int)
    /// An address is none that can be downloaded from.
    case addressInvalid(address: String)
    /// The server answered with an error.
    case serverRefused(address: String, status: Int)
    /// The connection failed; what was received is kept in `partial` for the next attempt.
    case connectionFailed(address: String, detail: String, partial: String)
    /// Fewer bytes arrived than the server announced; they are kept for the next attempt.
    case downloadTruncated(address: String, expected: Int64, received: Int64, partial: String)
    /// A downloaded or given file is not the dataset that it should be.
    case datasetMalformed(path: String, record: Int, expected: String)
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
