import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaFiles
import CircadiaLog
import CircadiaRetrieval
import Foundation

/// Removes exchanges from the log, the retrieval store and, by marking adapters stale, the weights.
///
/// It works in repeatable steps: write the journal → mark adapters → copy lines to the undo file →
/// rewrite the log → remove them from the store → remove the journal. If the process is killed, the
/// journal stays, and the next command that reads the log completes it.
package struct Forgetting {
    /// What a command will do, or did.
    package struct Plan: Sendable {
        /// The exchanges in the log's order, then those that only the store has.
        package let exchanges: [Exchange]
        /// The number of lines of the log.
        package let lineCount: Int
        /// The number of exchanges in the store.
        package let storedCount: Int
        /// Adapters that were trained on them, or may have been.
        package let adapters: [URL]

        let file: FileIdentity?
        let entries: [ForgottenEntry]
        let batch: String
        let time: String
    }

    let log: ChatLog
    let files: ForgetFiles
    let storeFolder: URL
    let adapters: TrainedAdapters
    /// Embeds exchanges that come back; if nil, the next ingest embeds them.
    let embedder: (any TextEmbedding)?

    /// Prepares forgetting for a log, a store and the adapters in a folder.
    ///
    /// - Parameters:
    ///   - log: the chat log.
    ///   - storeFolder: the store's folder; it need not exist.
    ///   - adapterRoot: the folder that contains the adapters.
    ///   - embedder: embeds exchanges that an undo brings back; if nil, the next ingest embeds
    ///     them.
    package init(
        log: URL, storeFolder: URL, adapterRoot: URL, embedder: (any TextEmbedding)? = nil
    ) {
        self.log = ChatLog(url: log)
        files = ForgetFiles(log: log)
        self.storeFolder = storeFolder
        adapters = TrainedAdapters(root: adapterRoot)
        self.embedder = embedder
    }

    /// Finds the exchanges that a selection would forget, and changes nothing.
    ///
    /// - Returns: the plan; its `exchanges` are empty if nothing matches.
    /// - Throws: `FileError` or `LogError` for the log, `RetrievalError` for the store.
    package func plan(_ selection: ForgetSelection) throws -> Plan {
        let (lines, file) = try log.lines()
        let stores = try Self.openStores(StoreLocation.known(in: storeFolder))
        defer { for (store, _) in stores { store.close() } }
        let batch = Exchange.makeID()
        let time = Timestamp.string(Date())
        var exchanges: [Exchange] = []
        var entries: [ForgottenEntry] = []
        // Each store is read once, because a Chroma store would need one request for every id.
        var held: [(ids: Set<String>, address: String?)] = []
        var stored: [Exchange] = []
        var listed: Set<String> = []
        for (store, address) in stores {
            let all = try store.list()
            held.append((Set(all.map(\.id)), address))
            stored += all.filter { selection.matches($0) && listed.insert($0.id).inserted }
        }
        func add(_ exchange: Exchange, line: Int, text: String) {
            let holders = held.filter { $0.ids.contains(exchange.id) }.map(\.address)
            exchanges.append(exchange)
            entries.append(
                ForgottenEntry(
                    batch: batch, time: time, line: line, text: text, id: exchange.id,
                    hash: CleanExchange(cleaning: exchange).hash, wasStored: holders.contains(nil),
                    collections: holders.compactMap(\.self)))
        }
        for line in lines {
            guard let exchange = line.exchange, selection.matches(exchange) else { continue }
            add(
                exchange, line: line.number, text: String(decoding: line.bytes, as: UTF8.self))
        }
        let known = Set(entries.map(\.id))
        stored.removeAll { known.contains($0.id) }
        for exchange in stored {
            let text = String(decoding: ChatLog.line(of: exchange).dropLast(), as: UTF8.self)
            add(exchange, line: 0, text: text)
        }
        return Plan(
            exchanges: exchanges, lineCount: entries.count { $0.line > 0 },
            storedCount: entries.count { $0.wasStored || $0.collections?.isEmpty == false },
            adapters: entries.isEmpty ? [] : adapters.trained(on: Set(entries.map(\.hash))),
            file: file, entries: entries, batch: batch, time: time)
    }

    /// Forgets the exchanges of a plan.
    ///
    /// - Parameters:
    ///   - plan: a recent plan; lines that were added to the log since stay.
    ///   - purging: whether to remove everything that an undo needs, for earlier commands too.
    /// - Throws: `FileError` or `LogError` for the log, `RetrievalError` for the store,
    ///   `ForgetError`. The journal stays, so the next command completes the work.
    package func forget(_ plan: Plan, purging: Bool) throws {
        let lock = try files.lock()
        defer { withExtendedLifetime(lock) {} }
        let journal = ForgetJournal(
            direction: .forget, batch: plan.batch, time: plan.time, file: plan.file,
            entries: plan.entries,
            storeFolder: StoreLocation.known(in: storeFolder).isEmpty ? nil : storeFolder.path,
            adapterRoot: adapters.root.path, purges: purging)
        try files.write(journal)
        try complete(journal)
    }

    /// Brings back the exchanges that the last command forgot.
    ///
    /// - Returns: the number of exchanges that came back; 0 if there are none to bring back.
    /// - Throws: the same errors as `forget`.
    package func undo() throws -> Int {
        let lock = try files.lock()
        defer { withExtendedLifetime(lock) {} }
        let all = try files.readUndo()
        guard let batch = all.last?.batch else { return 0 }
        let entries = all.filter { $0.batch == batch }
        if !FileManager.default.fileExists(atPath: log.url.path),
            entries.contains(where: { $0.line > 0 })
        {
            try log.checkWritable()
        }
        let journal = ForgetJournal(
            direction: .undo, batch: batch, time: Timestamp.string(Date()),
            file: try log.lines().file, entries: entries,
            storeFolder: entries.contains { $0.wasStored || $0.collections?.isEmpty == false }
                ? storeFolder.path : nil,
            adapterRoot: adapters.root.path, purges: false)
        try files.write(journal)
        try complete(journal)
        return entries.count
    }

    /// Removes the undo file.
    ///
    /// - Returns: the number of exchanges that can no longer be brought back.
    /// - Throws: `FileError`; `ForgetError` if the undo file is damaged.
    package func purge() throws -> Int {
        let lock = try files.lock()
        defer { withExtendedLifetime(lock) {} }
        let count = try files.readUndo().count
        try DurableFile.remove(files.undo)
        return count
    }

    /// Completes a killed command.
    ///
    /// - Parameters:
    ///   - log: the chat log.
    ///   - embedder: makes the embedder for exchanges that come back.
    /// - Returns: the number of its exchanges, negative if they came back; nil if there was nothing
    ///   to complete.
    /// - Throws: the same errors as `forget`.
    @discardableResult
    package static func completePending(
        log: URL, embedder: () -> (any TextEmbedding)? = { nil }
    ) throws -> Int? {
        let files = ForgetFiles(log: log)
        guard FileManager.default.fileExists(atPath: files.journal.path) else { return nil }
        let lock = try files.lock()
        defer { withExtendedLifetime(lock) {} }
        guard let journal = try files.readJournal() else { return nil }
        try Forgetting(
            log: log, storeFolder: URL(fileURLWithPath: journal.storeFolder ?? "/"),
            adapterRoot: URL(fileURLWithPath: journal.adapterRoot),
            embedder: journal.direction == .undo ? embedder() : nil
        ).complete(journal)
        return journal.direction == .forget ? journal.entries.count : -journal.entries.count
    }

    // MARK: Steps

    private func complete(_ journal: ForgetJournal) throws {
        switch journal.direction {
        case .forget: try completeForget(journal)
        case .undo: try completeUndo(journal)
        }
        try DurableFile.remove(files.journal)
    }

    private func completeForget(_ journal: ForgetJournal) throws {
        try adapters.markStale(forgetting: journal.hashes)
        if journal.purges {
            try DurableFile.remove(files.undo)
        } else {
            let undo = try files.readUndo()
            if !undo.contains(where: { $0.batch == journal.batch }) {
                try files.write(undo: undo + journal.entries)
            }
        }
        let gone = Set(journal.entries.map(\.line))
        if let file = journal.file {
            _ = try log.rewrite(expecting: file) { lines in
                lines.filter { !gone.contains($0.number) }.map(\.bytes)
            }
        }
        if let folder = journal.storeFolder {
            // All stores that were ever used with this folder, not only the one that the command
            // names.
            for location in StoreLocation.known(in: URL(fileURLWithPath: folder)) {
                let store = try location.open(embedder: nil)
                defer { store.close() }
                try store.forget(ids: journal.entries.map(\.id))
            }
        }
    }

    private func completeUndo(_ journal: ForgetJournal) throws {
        let back = journal.entries.filter { $0.line > 0 }.sorted { $0.line < $1.line }
        if let file = journal.file, !back.isEmpty {
            _ = try log.rewrite(expecting: file) { lines in
                var result = lines.map(\.bytes)
                // In rising order, each line gets its old place.
                for entry in back {
                    result.insert(Array(entry.text.utf8), at: min(entry.line - 1, result.count))
                }
                return result
            }
        }
        if let path = journal.storeFolder {
            let folder = URL(fileURLWithPath: path)
            try bringBack(
                journal.entries.filter(\.wasStored), to: .sqlite(folder: folder))
            for address in Set(journal.entries.flatMap { $0.collections ?? [] }).sorted() {
                try bringBack(
                    journal.entries.filter { $0.collections?.contains(address) == true },
                    to: .chroma(ChromaAddress(address), folder: folder))
            }
        }
        try adapters.unmark(remembering: journal.hashes)
        try files.write(undo: try files.readUndo().filter { $0.batch != journal.batch })
    }

    private func bringBack(
        _ entries: [ForgottenEntry], to location: StoreLocation
    ) throws {
        if entries.isEmpty { return }
        let store = try location.open(embedder: embedder)
        defer { store.close() }
        let exchanges = entries.compactMap { entry -> Exchange? in
            let parsed = LogLine.parse(Array(entry.text.utf8), number: entry.line)
            guard case .exchange(let exchange, _) = parsed else { return nil }
            return exchange
        }
        try store.ingest(exchanges.cleaned, policy: .chat)
    }

    /// Opens stores; a Chroma store comes with its address, the SQLite store with nil.
    private static func openStores(
        _ locations: [StoreLocation]
    ) throws -> [(store: any ExchangeStore, address: String?)] {
        var stores: [(store: any ExchangeStore, address: String?)] = []
        for location in locations {
            var address: String?
            if case .chroma(let collection, _) = location { address = collection.description }
            stores.append((try location.open(embedder: nil), address))
        }
        return stores
    }
}
