import CircadiaConversation
import CircadiaFiles
import Foundation
import GRDB

/// A retrieval store on a Chroma server, which several machines can share.
///
/// The server holds all that there is: every exchange with its vectors, and it finds the nearest
/// vectors. Words, times and the weighing stay here: a folder holds a copy of the texts, without
/// vectors, as a `RetrievalStore` whose index is brought in step with the server before each use.
/// The copy can be deleted at any time.
///
/// An exchange is as many records as it has vectors, see `ChromaRecord`. All writing can be
/// repeated, and whatever a killed program leaves, the next one that looks puts right.
package final class ChromaStore: ExchangeStore {
    /// The collection.
    package let address: ChromaAddress

    let connection: ChromaConnection
    let embedder: (any TextEmbedding)?
    /// The words of what the collection holds.
    let copy: RetrievalStore
    let session: Session

    /// What one opened store knows of the server.
    ///
    /// `@unchecked Sendable`: `maxBatchSize` is set once, before the store is shared, and the rest is
    /// read and written inside `use` only, which holds a lock.
    final class Session: @unchecked Sendable {
        private let lock = NSRecursiveLock()
        var maxBatchSize = 0
        var lastLook = Date.distantPast

        func use<Value>(_ body: (Session) throws -> Value) throws -> Value {
            lock.lock()
            defer { lock.unlock() }
            return try body(self)
        }
    }

    /// Opens a collection; it need not exist before something is put into it.
    ///
    /// - Parameters:
    ///   - address: the collection.
    ///   - folder: where the copy of the texts is, such as `data/rag_memory`.
    ///   - embedder: makes the vectors; without one the store cannot take anything in, and searches
    ///     by words and time only.
    ///   - token: the server's; by default what the environment holds.
    /// - Throws: `chromaUnreachable`, `chromaRefused` and its kin, `embedderMismatch`, and what
    ///   opening the copy throws.
    package convenience init(
        address: ChromaAddress, folder: URL, embedder: (any TextEmbedding)?,
        token: String? = ChromaStore.tokenOfEnvironment
    ) throws {
        try self.init(
            address: address, folder: folder, embedder: embedder, token: token, maxBatchSize: nil)
    }

    /// As the public one, with fewer records a request than the server takes.
    package init(
        address: ChromaAddress, folder: URL, embedder: (any TextEmbedding)?, token: String?,
        maxBatchSize: Int?
    ) throws {
        self.address = address
        self.embedder = embedder
        connection = ChromaConnection(address, token: token)
        session = Session()
        let taken = try ChromaCollection.maxBatchSize(connection)
        session.maxBatchSize = maxBatchSize.map { min($0, taken) } ?? taken
        let copyFolder = Self.copyFolder(of: address, in: folder)
        copy = try RetrievalStore(directory: copyFolder, embedder: nil)
        try DurableFile.replace(
            copyFolder.appendingPathComponent(Self.addressFile),
            with: [UInt8](address.description.utf8))
        try synchronize()
    }

    /// The token that the environment holds.
    package static var tokenOfEnvironment: String? {
        ProcessInfo.processInfo.environment[ChromaAddress.tokenVariable].flatMap {
            $0.isEmpty ? nil : $0
        }
    }

    /// Closes the copy. The store cannot be used afterwards.
    package func close() { copy.close() }

    // MARK: The copy's place

    private static let addressFile = "address"
    private static let folderPrefix = "chroma-"

    static func copyFolder(of address: ChromaAddress, in folder: URL) -> URL {
        var hash = ContentDigest()
        hash.update(utf8: address.description)
        return folder.appendingPathComponent(
            folderPrefix + hash.hexadecimal.prefix(16), isDirectory: true)
    }

    /// The collections that programs which used this folder have written to or read.
    static func known(in folder: URL) -> [ChromaAddress] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasPrefix(folderPrefix) }.sorted().compactMap { name in
            let file = folder.appendingPathComponent(name).appendingPathComponent(addressFile)
            guard let bytes = try? DurableFile.read(file) else { return nil }
            return try? ChromaAddress(String(decoding: bytes, as: UTF8.self))
        }
    }

    // MARK: The collection

    /// The collection as the server has it now; nil where there is none.
    func collection() throws -> ChromaCollection? {
        guard let found = try ChromaCollection.find(connection) else { return nil }
        return try checked(found)
    }

    /// The collection, made where there is none.
    func collection(
        makingFor embedder: String
    ) throws -> ChromaCollection {
        if let found = try collection() { return found }
        return try checked(ChromaCollection.make(connection, embedder: embedder))
    }

    /// The embedder of the collection's vectors; nil where there is no collection.
    func embedderSignature() throws -> String? {
        try ChromaCollection.find(connection)?.metadata?.embedder
    }

    private func checked(
        _ found: ChromaCollection.Description
    ) throws -> ChromaCollection {
        guard let marks = found.metadata, marks.format == ChromaCollection.Marks.currentFormat
        else { throw RetrievalError.chromaForeign(address: address.description) }
        if let embedder, let stored = marks.embedder {
            let given = RetrievalStore.signature(of: embedder)
            if stored != given {
                throw RetrievalError.embedderMismatch(
                    path: address.description, stored: stored, given: given)
            }
        }
        return ChromaCollection(
            connection: connection, id: found.id, maxBatchSize: session.maxBatchSize)
    }

    // MARK: Contents

    /// How many exchanges there are.
    ///
    /// - Throws: as `search`.
    package func count() throws -> Int {
        try synchronize()
        return try copy.count()
    }

    /// Numbers about the collection; bytes are those of the copy here.
    ///
    /// - Throws: as `search`.
    package func statistics() throws -> RetrievalStore.Statistics {
        try synchronize()
        let numbers = try copy.statistics()
        let vectors = try collection()?.count() ?? 0
        return RetrievalStore.Statistics(
            exchanges: numbers.exchanges, sessions: numbers.sessions, vectors: vectors,
            embedder: try embedderSignature(), oldest: numbers.oldest, newest: numbers.newest,
            byteCount: numbers.byteCount)
    }

    /// The exchanges, oldest arrivals first.
    ///
    /// - Throws: as `search`.
    package func list(limit: Int?, offset: Int) throws -> [Exchange] {
        try synchronize()
        return try copy.list(limit: limit, offset: offset)
    }

    /// The exchange with an id, if it is there.
    ///
    /// - Throws: as `search`.
    package func exchange(id: String) throws -> Exchange? {
        try synchronize()
        return try copy.exchange(id: id)
    }

    // MARK: Taking out

    /// Ids of one request that deletes.
    private static let deletedAtOnce = 100

    /// Takes exchanges out of the collection and of the copy here.
    ///
    /// Other machines' copies follow when they are used next. How long a server's own files keep
    /// what was deleted is up to the server; Chroma's `chroma vacuum` gives its space back.
    ///
    /// - Parameter ids: unknown ones are passed over. Repeating it is harmless.
    /// - Returns: how many were taken out.
    /// - Throws: as `search`.
    @discardableResult
    package func forget(ids: [String]) throws -> Int {
        try session.use { session throws in
            try synchronize()
            if let collection = try collection() {
                for start in stride(from: 0, to: ids.count, by: Self.deletedAtOnce) {
                    let some = Array(ids[start..<min(start + Self.deletedAtOnce, ids.count)])
                    try collection.delete(where: .exchange(in: some))
                }
            }
            let count = try copy.forget(ids: ids)
            try copy.forgetRecordCount()
            return count
        }
    }

    /// Gives an exchange other tags.
    ///
    /// - Parameters:
    ///   - tags: all of them.
    ///   - id: the exchange's id.
    /// - Returns: whether the exchange is in the store.
    /// - Throws: as `search`.
    @discardableResult
    package func setTags(_ tags: [String], of id: String) throws -> Bool {
        try session.use { _ throws in
            try synchronize()
            guard try copy.exchange(id: id) != nil, let collection = try collection() else {
                return false
            }
            let records = try collection.get(where: .exchange(in: [id])).ids
            guard let head = records.first(where: { ChromaRecordID($0)?.part == 0 }) else {
                return false
            }
            try collection.update(tags: tags, of: head, edited: try copy.nextStamp(count: 1))
            return try copy.setTags(tags, of: id)
        }
    }

    /// Removes the collection and all of the copy here. The embedder may be another one afterwards.
    ///
    /// - Returns: how many exchanges were taken out.
    /// - Throws: as `search`.
    @discardableResult
    package func clear() throws -> Int {
        try session.use { _ throws in
            let count = try count()
            try ChromaCollection.remove(connection)
            try copy.clear()
            try copy.startAnew(of: nil)
            return count
        }
    }
}
