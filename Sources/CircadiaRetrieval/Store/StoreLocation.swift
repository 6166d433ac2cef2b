import Foundation

/// Where a store of exchanges is.
package enum StoreLocation: Sendable, Hashable {
    /// A database in a folder.
    case sqlite(folder: URL)
    /// A collection of a Chroma server, with the copy of its texts in a folder.
    case chroma(ChromaAddress, folder: URL)

    /// Opens the store, making it where there is none.
    ///
    /// - Parameter embedder: makes the vectors; without one the store searches by words and time
    ///   only, and a Chroma collection takes nothing in.
    /// - Returns: the store.
    /// - Throws: as the store's `init`.
    package func open(embedder: (any TextEmbedding)?) throws -> any ExchangeStore {
        switch self {
        case .sqlite(let folder):
            try RetrievalStore(directory: folder, embedder: embedder)
        case .chroma(let address, let folder):
            try ChromaStore(address: address, folder: folder, embedder: embedder)
        }
    }

    /// The stores that programs have used with this folder: the database in it, and the collections
    /// whose copies it holds. What is to be forgotten must go from all of them.
    ///
    /// - Parameter folder: such as `data/rag_memory`.
    /// - Returns: the stores; none where the folder is not there.
    package static func known(in folder: URL) -> [StoreLocation] {
        let database = RetrievalStore.databaseFile(in: folder).path
        let local: [StoreLocation] =
            FileManager.default.fileExists(atPath: database) ? [.sqlite(folder: folder)] : []
        return local + ChromaStore.known(in: folder).map { .chroma($0, folder: folder) }
    }
}
