import CircadiaFiles
import Foundation
import GRDB

/// What was said, verbatim, in a database that finds it again by words, meaning and time.
///
/// A folder with one SQLite database (write-ahead log, mode 0600). Several programs may use it at
/// once. Everything in it comes from the chat log, so it can always be made anew.
package final class RetrievalStore: Sendable {
    /// The folder that holds the database.
    package let directory: URL

    let pool: DatabasePool
    let embedder: (any TextEmbedding)?
    let index: SearchIndex
    let postings = PostingsCache()

    /// The database file of a store in `directory`.
    package static func databaseFile(in directory: URL) -> URL {
        directory.appendingPathComponent("memory.sqlite")
    }

    /// Opens the store in `directory`, making it where there is none.
    ///
    /// - Parameters:
    ///   - directory: the store's folder, such as `data/rag_memory`.
    ///   - embedder: makes the vectors; without one the store searches by words and time only.
    /// - Throws: `folderNotMade`, `unwritable`, `storeFailed`, `storeCorrupt`, `storeTooNew`,
    ///   `embedderMismatch`.
    package convenience init(
        directory: URL, embedder: (any TextEmbedding)?
    ) throws {
        try self.init(
            directory: directory, embedder: embedder, limits: SearchLimits())
    }

    /// Opens a store whose searches take other ways from other sizes on.
    package init(
        directory: URL, embedder: (any TextEmbedding)?, limits: SearchLimits
    ) throws {
        index = SearchIndex(directory: directory, limits: limits)
        self.directory = directory
        self.embedder = embedder
        let file = Self.databaseFile(in: directory)
        try Folder.create(directory)
        try Self.makePrivate(file)
        var configuration = Configuration()
        configuration.busyMode = .timeout(Self.patienceSeconds)
        configuration.label = "circadia.retrieval"
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
            // The postings of common words, which every second question asks for.
            try database.execute(sql: "PRAGMA cache_size = -16384")
        }
        pool = try Self.mapping(file) {
            try Self.open(file, configuration, until: Date() + Self.patienceSeconds)
        }
        if let embedder { try checkEmbedder(embedder, file: file) }
    }

    /// How long a store waits for other programs that write.
    private static let patienceSeconds: TimeInterval = 20

    /// SQLite gives its side files the mode of the database; so that one is made first, with 0600.
    ///
    /// A database that exists is not opened here: closing it again would drop the locks that
    /// SQLite holds on it elsewhere in this process.
    private static func makePrivate(_ file: URL) throws {
        do throws(FileError) {
            _ = try OpenFile(file, flags: O_RDWR | O_CREAT | O_EXCL, failure: .write)
        } catch FileError.unwritable(_, code: EEXIST) {
            return
        }
    }

    /// Opens the pool and brings the schema up to date.
    ///
    /// The change to the write-ahead log and its recovery are refused at once where another
    /// program is at them, whatever the busy timeout, so they are tried again here.
    private static func open(
        _ file: URL, _ configuration: Configuration, until deadline: Date
    ) throws -> DatabasePool {
        while true {
            do {
                let pool = try DatabasePool(path: file.path, configuration: configuration)
                let migrator = StoreSchema.migrator
                // Two programs that open a new store together must not both make its tables.
                let lock = try? FileLock(file.deletingLastPathComponent())
                defer { lock?.unlock() }
                if try pool.read(migrator.hasBeenSuperseded) {
                    throw RetrievalError.storeTooNew(path: file.path)
                }
                try StoreSchema.migrate(pool)
                try StoreSchema.derive(pool)
                return pool
            } catch let error as DatabaseError
                where error.resultCode == .SQLITE_BUSY && Date() < deadline
            {
                usleep(20_000)
            }
        }
    }

    /// Closes the database. The store cannot be used afterwards.
    package func close() { try? pool.close() }

    /// Vectors of two embedders cannot be compared: a store belongs to the first one it met.
    private func checkEmbedder(_ embedder: any TextEmbedding, file: URL) throws {
        let stored: String? = try reading { database in
            try String.fetchOne(
                database, sql: "SELECT value FROM property WHERE name = 'embedder'")
        }
        let given = Self.signature(of: embedder)
        if let stored, stored != given {
            throw RetrievalError.embedderMismatch(path: file.path, stored: stored, given: given)
        }
    }

    static func signature(of embedder: any TextEmbedding) -> String {
        "\(embedder.identifier) (\(embedder.dimension) dimensions)"
    }

    // MARK: The database with this module's errors

    func reading<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try Self.mapping(Self.databaseFile(in: directory)) { try pool.read(body) }
    }

    func writing<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try Self.mapping(Self.databaseFile(in: directory)) { try pool.write(body) }
    }

    func outsideTransaction(_ body: (Database) throws -> Void) throws {
        try Self.mapping(Self.databaseFile(in: directory)) {
            try pool.writeWithoutTransaction(body)
        }
    }

    private static func mapping<Value>(
        _ file: URL, _ body: () throws -> Value
    ) throws -> Value {
        do {
            return try body()
        } catch let error as RetrievalError {
            throw error
        } catch let error as FileError {
            throw error
        } catch let error as DatabaseError {
            throw storeError(error, path: file.path)
        } catch {
            throw RetrievalError.storeFailed(path: file.path, detail: "\(type(of: error))")
        }
    }

    /// Only the kind of failure is kept: SQLite's own message may quote what was said.
    private static func storeError(_ error: DatabaseError, path: String) -> any Error {
        let detail = "SQLite reports \(error.resultCode)"
        return switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            RetrievalError.storeCorrupt(path: path, detail: detail)
        case .SQLITE_BUSY, .SQLITE_LOCKED: RetrievalError.storeBusy(path: path)
        case .SQLITE_FULL: FileError.unwritable(path: path, code: ENOSPC)
        case .SQLITE_READONLY, .SQLITE_PERM: FileError.unwritable(path: path, code: EACCES)
        default: RetrievalError.storeFailed(path: path, detail: detail)
        }
    }
}
