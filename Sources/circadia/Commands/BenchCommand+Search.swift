import CircadiaAnalysis
import CircadiaHub
import CircadiaKernels
import CircadiaModel
import CircadiaRetrieval
import CircadiaTraining
import Foundation

/// Measures a store of made-up chats: time to open and search it, disk and memory.
extension BenchCommand {
    struct SearchSeries: Encodable {
        let exchanges: Int
        /// Exchanges that this run added.
        let added: Int
        /// Seconds that adding them took.
        let fillSeconds: Double
        /// Medians in seconds. A search includes embedding the question.
        let openSeconds: Double
        let firstSearchSeconds: Double
        let searchSeconds: Double
        /// Seconds; one search in ten takes longer.
        let searchSecondsP90: Double
        let embeddingSeconds: Double
        let diskBytes: Int
        /// Peak memory in bytes, with the embedder and, if this run filled the store, with filling
        /// it.
        let peakRssBytes: Int

        var lines: [String] {
            [
                String(
                    format: "store     %d exchanges, %.1f MB on disk, %d added in %.1f s",
                    exchanges, Double(diskBytes) / 1e6, added, fillSeconds),
                String(
                    format: "opening   %.2f ms, first search %.1f ms", openSeconds * 1e3,
                    firstSearchSeconds * 1e3),
                String(
                    format: "search    %.2f ms median, %.2f ms in 9 of 10; embedding %.2f ms of it",
                    searchSeconds * 1e3, searchSecondsP90 * 1e3, embeddingSeconds * 1e3),
            ]
        }
    }

    struct SearchResult: Encodable {
        let isa: String
        let threads: Int
        let search: SearchSeries
    }

    /// The number of questions.
    private static let questionCount = 200

    func runSearch(exchanges count: Int) throws {
        try KernelRuntime.configure(threads: model.threads)
        let temporary = FileManager.default.temporaryDirectory
            .appendingPathComponent("circadia-bench-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: temporary) }
        let folder = searchFolder.map { URL(fileURLWithPath: $0) } ?? temporary
        let series = try measureSearch(count, in: folder)
        let result = SearchResult(
            isa: KernelRuntime.isa, threads: KernelRuntime.threads, search: series)
        if output.json { return try output.console.json(result) }
        output.console.result("\(result.isa), \(result.threads) threads")
        for line in series.lines { output.console.result(line) }
        output.console.result(
            String(format: "peak memory %.0f MB", Double(series.peakRssBytes) / 1e6))
    }

    private func measureSearch(_ count: Int, in folder: URL) throws -> SearchSeries {
        let directory = try ModelStore.resolve("all-minilm-l6-v2")
        let chats = try SyntheticChats(vocabularyOf: directory)
        let embedder = SyntheticChats.Embedder(
            model: try SentenceEmbedder(directory: directory), chats: chats)
        func seconds(_ body: () throws -> Void) rethrows -> Double {
            try ContinuousClock().measure(body) / .seconds(1)
        }
        func open() throws -> RetrievalStore {
            try RetrievalStore(directory: folder, embedder: embedder)
        }
        var added = 0
        let fillSeconds = try seconds {
            let store = try open()
            defer { store.close() }
            for start in stride(from: try store.count(), to: count, by: Self.fillBatch) {
                let batch = (start..<min(count, start + Self.fillBatch)).map(chats.exchange)
                added += try store.ingest(batch.cleaned, policy: .chat).added
                if Console.errorIsTerminal {
                    output.console.progress(
                        "\(start + batch.count) of \(count)",
                        isLast: start + batch.count == count)
                }
            }
        }
        let questions = (0..<Self.questionCount).map { chats.question($0, among: count) }
        _ = try embedder.embed(question: questions[0])
        // The first search writes the index to a file.
        do {
            let store = try open()
            defer { store.close() }
            _ = try store.search(questions[0], limit: 10)
        }
        let openings = try (0..<5).map { _ in
            var store: RetrievalStore?
            defer { store?.close() }
            return try seconds { store = try open() }
        }
        let store = try open()
        defer { store.close() }
        let first = try seconds { _ = try store.search(questions[0], limit: 10) }
        let searches = try questions.map { question in
            try seconds { _ = try store.search(question, limit: 10) }
        }.sorted()
        let embeddings = try questions.map { question in
            try seconds { _ = try embedder.embed(question: question) }
        }.sorted()
        return SearchSeries(
            exchanges: try store.count(), added: added, fillSeconds: fillSeconds,
            openSeconds: openings.sorted()[openings.count / 2], firstSearchSeconds: first,
            searchSeconds: searches[searches.count / 2],
            searchSecondsP90: searches[searches.count * 9 / 10],
            embeddingSeconds: embeddings[embeddings.count / 2],
            diskBytes: try store.statistics().byteCount, peakRssBytes: ResidentMemory.peak)
    }

    private static let fillBatch = 1024
}
