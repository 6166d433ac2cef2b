import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaFiles
import CircadiaLog
import CircadiaRetrieval
import Foundation

/// Takes exchanges out of everything that remembers: the log, the retrieval store, and, by marking
/// adapters stale, the weights.
///
/// Order, each step repeatable: journal → adapters marked → lines copied to the undo file → log
/// rewritten → store emptied of them → journal removed. A process that is killed anywhere leaves the
/// journal, and the next command that reads the log completes it.
package struct Forgetting {
    /// What a command would do, or did.
    package struct Plan: Sendable {
        /// The exchanges, in the log's order, then those that only the store holds.
        package let exchanges: [Exchange]
        /// Lines of the log.
        package let lineCount: Int
        /// Exchanges in the store.
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
    /// Makes vectors for what comes back; without one the next ingest makes them.
    let embedder: (any TextEmbedding)?

    /// Forgetting for a log, a store (which need not exist) and the adapters in a folder.
    package init(
        log: URL, storeFolder: URL, adapterRoot: URL, embedder: (any TextEmbedding)? = nil
    ) {
        self.log = ChatLog(url: log)
        files = ForgetFiles(log: log)
        self.storeFolder = storeFolder
        adapters = TrainedAdapters(root: adapterRoot)
        self.embedder = embedder
    }

    /// Finds what a selection would forget. Nothing is changed.
    ///
    /// - Throws: `unreadable`, `unwritable`, `storeFailed` and its kin.
    package func plan(_ selection: ForgetSelection) throws -> Plan {
        let (lines, file) = try log.lines()
        let stores = try Self.openStores(StoreLocation.known(in: storeFolder))
        defer { for (store, _) in stores { store.close() } }
        let batch = Exchange.makeID()
        let time = Timestamp.string(Date())
        var exchanges: [Exchange] = []
        var entries: [ForgottenEntry] = []
        // Each store is read once: a collection would be asked over the network for every id.
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

    /// Forgets what a plan found.
    ///
    /// - Parameters:
    ///   - plan: found just now; lines that were added since stay.
    ///   - purging: leaves nothing to undo, of earlier commands either.
    /// - Throws: `unreadable`, `unwritable`, `storeFailed` and its kin; a repeated command goes on.
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

    /// Brings back what the last command forgot.
    ///
    /// - Returns: how many exchanges came back; 0 where there is nothing to bring back.
    /// - Throws: as `forget`.
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
    /// - Returns: how many exchanges can no longer be brought back.
    /// - Throws: `unreadable`, `unwritable`.
    package func purge() throws -> Int {
        let lock = try files.lock()
        defer { withExtendedLifetime(lock) {} }
        let count = try files.readUndo().count
        try DurableFile.remove(files.undo)
        return count
    }

    /// Completes what a killed command left.
    ///
    /// - Returns: how many exchanges it was about, as a negative number where they came back; nil
    ///   where there was nothing to complete.
    /// - Throws: as `forget`.
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
            // Every store that was used with this folder, whichever the command names.
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
                // In rising order each comes to stand where it was.
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

    /// Stores, each with its address where it is a collection's.
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
