import CircadiaAnalysis
import CircadiaConversation
import Foundation
import GRDB

extension ChromaStore {
    /// Puts exchanges into the collection, with vectors made here. What is there already is neither
    /// sent nor embedded again, so a repeated or interrupted ingest only does what is left.
    ///
    /// - Parameters:
    ///   - exchanges: in the order in which they happened.
    ///   - policy: which of them go in.
    ///   - keepingSecrets: whether keys, passwords and numbers of accounts go in as they are.
    ///   - progress: as for `RetrievalStore`.
    /// - Returns: what was done.
    /// - Throws: as `search`, and `embeddingFailed`, `embeddingShape`.
    @discardableResult
    package func ingest(
        _ exchanges: [CleanExchange], policy: StorePolicy, keepingSecrets: Bool,
        progress: (_ done: Int, _ total: Int) -> Bool
    ) throws -> RetrievalStore.IngestReport {
        guard let embedder else {
            throw RetrievalError.embeddingFailed(
                detail: "a Chroma collection takes no exchange without vectors")
        }
        try synchronize()
        var report = RetrievalStore.IngestReport()
        var start = 0
        while start < exchanges.count {
            let end = min(start + RetrievalStore.batchSize, exchanges.count)
            let prepared = RetrievalStore.prepared(
                exchanges[start..<end], policy: policy, keepingSecrets: keepingSecrets,
                into: &report)
            start = end
            let new = try copy.withoutKnown(prepared, into: &report)
            for group in Self.groupsWithoutRepeatedIDs(new.map(\.exchange)) {
                let pieces = try RetrievalStore.pieces(of: group, by: embedder)
                try put(
                    zip(group, pieces).map { EmbeddedExchange(exchange: $0, pieces: $1) },
                    embedder: RetrievalStore.signature(of: embedder), into: &report)
            }
            if !progress(end, exchanges.count) { break }
        }
        return report
    }

    /// Of two exchanges with one id the later replaces the earlier, so they cannot go together.
    private static func groupsWithoutRepeatedIDs(_ exchanges: [Exchange]) -> [[Exchange]] {
        var groups: [[Exchange]] = []
        var ids: Set<String> = []
        for exchange in exchanges {
            if groups.isEmpty || !ids.insert(exchange.id).inserted {
                groups.append([])
                ids = [exchange.id]
            }
            groups[groups.count - 1].append(exchange)
        }
        return groups
    }

    /// Writes exchanges with their vectors, then takes them into the copy.
    ///
    /// Heads are written last: an exchange without one is not there, and is written again whole.
    func put(
        _ exchanges: [EmbeddedExchange], embedder: String,
        into report: inout RetrievalStore.IngestReport
    ) throws {
        if exchanges.isEmpty { return }
        let outcome = report
        report = try session.use { _ throws in
            var report = outcome
            let collection = try collection(makingFor: embedder)
            if try copy.chromaState().collection != collection.id {
                try copy.startAnew(of: collection.id)
            }
            let first = try copy.nextStamp(count: exchanges.count)
            let ids = exchanges.map(\.exchange.id)
            let replaced = try Set(ids).subtracting(copy.missing(ids))
            var records: [ChromaRecord] = []
            for (index, embedded) in exchanges.enumerated() {
                let stamp = first + Int64(index)
                let isReplaced = replaced.contains(embedded.exchange.id)
                records += ChromaRecord.records(
                    of: embedded, arrival: stamp, edited: isReplaced ? stamp : nil)
            }
            try collection.upsert(
                records.filter { $0.id.part > 0 } + records.filter { $0.id.part == 0 })
            if !replaced.isEmpty {
                try removeOldParts(of: replaced, keeping: records, in: collection)
            }
            try copy.takeIn(exchanges.map(\.exchange))
            try copy.changeChromaState { state in
                state.records = replaced.isEmpty ? state.records.map { $0 + records.count } : nil
            }
            report.added += exchanges.count - replaced.count
            report.replaced += replaced.count
            report.embedded += records.count
            return report
        }
    }

    /// What was said before may have had more parts, or of other sides.
    private func removeOldParts(
        of exchanges: Set<String>, keeping records: [ChromaRecord], in collection: ChromaCollection
    ) throws {
        let kept = Set(records.map(\.id.text))
        let old = try collection.get(where: .exchange(in: exchanges.sorted())).ids
            .filter { !kept.contains($0) }
        for start in stride(from: 0, to: old.count, by: collection.maxBatchSize) {
            try collection.delete(
                ids: Array(old[start..<min(start + collection.maxBatchSize, old.count)]))
        }
    }
}

extension RetrievalStore {
    /// Those that are not here yet, each once.
    func withoutKnown(
        _ prepared: [PreparedExchange], into report: inout IngestReport
    ) throws -> [PreparedExchange] {
        var seen: Set<ContentHash> = []
        let new = try reading { database in
            try prepared.filter {
                try seen.insert($0.contentHash).inserted && !Self.isThere($0, database)
            }
        }
        report.alreadyThere += prepared.count - new.count
        return new
    }

    /// Those ids that no exchange here has.
    func missing(_ ids: [String]) throws -> [String] {
        try unknown(among: ids.map { ChromaRecordID(exchange: $0, part: 0, side: .whole) })
            .map(\.exchange)
    }
}
