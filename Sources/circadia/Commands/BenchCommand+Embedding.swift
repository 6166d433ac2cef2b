import CircadiaAnalysis
import CircadiaConversation
import CircadiaHub
import CircadiaKernels
import CircadiaModel
import CircadiaRetrieval
import Foundation

/// Measures the sentence embedder on given texts, and ingesting those texts.
extension BenchCommand {
    struct EmbeddingSeries: Encodable {
        let texts: Int
        /// Median of texts a second in f32, in batches of 32.
        let exactTextsPerSecond: Double
        /// The same in bf16.
        let fastTextsPerSecond: Double
        /// Median of questions a second, one by one, with 8-bit weights.
        let questionsPerSecond: Double
        /// Median seconds of ingesting the texts as exchanges of two texts each, in bf16 as `rag`
        /// does.
        let ingestSeconds: Double
        /// Median seconds of embedding the same texts without a store.
        let ingestEmbeddingSeconds: Double

        var lines: [String] {
            [
                String(
                    format: "embedding %d texts: exact %.0f texts/s, fast %.0f, questions %.0f",
                    texts, exactTextsPerSecond, fastTextsPerSecond, questionsPerSecond),
                String(
                    format: "ingest    %.2f s, embedding alone %.2f s", ingestSeconds,
                    ingestEmbeddingSeconds),
            ]
        }
    }

    struct EmbeddingResult: Encodable {
        let isa: String
        let threads: Int
        let embedding: EmbeddingSeries
    }

    func runEmbedding(texts file: String) throws {
        try KernelRuntime.configure(threads: model.threads)
        let texts = try JSONDecoder().decode(
            [String].self, from: Data(contentsOf: URL(fileURLWithPath: file)))
        let directory = try ModelStore.resolve("all-minilm-l6-v2")
        let exact = try SentenceEmbedder(directory: directory)
        let fast = try SentenceEmbedder(directory: directory, precision: .bf16)
        if let embedVectors {
            let folder = URL(fileURLWithPath: embedVectors)
            try Self.write(exact.embed(texts), to: folder.appendingPathComponent("exact.f32"))
            try Self.write(fast.embed(texts), to: folder.appendingPathComponent("fast.f32"))
            try Self.write(
                texts.map(exact.embed(question:)),
                to: folder.appendingPathComponent("question.f32"))
        }
        func speed(_ embed: @escaping ([String]) -> Void) -> Double {
            series(tokens: texts.count) {
                for start in stride(from: 0, to: texts.count, by: Self.textsAtOnce) {
                    embed(Array(texts[start..<min(texts.count, start + Self.textsAtOnce)]))
                }
            }.median
        }
        let exactSpeed = speed { _ = exact.embed($0) }
        let fastSpeed = speed { _ = fast.embed($0) }
        let questionSpeed = speed { for text in $0 { _ = exact.embed(question: text) } }
        let ingest = try measureIngest(texts, fast)
        let result = EmbeddingResult(
            isa: KernelRuntime.isa, threads: KernelRuntime.threads,
            embedding: EmbeddingSeries(
                texts: texts.count, exactTextsPerSecond: exactSpeed,
                fastTextsPerSecond: fastSpeed, questionsPerSecond: questionSpeed,
                ingestSeconds: ingest.seconds, ingestEmbeddingSeconds: ingest.embedding))
        if output.json { return try output.console.json(result) }
        output.console.result("\(result.isa), \(result.threads) threads")
        for line in result.embedding.lines { output.console.result(line) }
    }

    /// The median seconds of ingesting the texts, two an exchange, and of only embedding them in
    /// batches of the same size.
    private func measureIngest(
        _ texts: [String], _ embedder: SentenceEmbedder
    ) throws -> (seconds: Double, embedding: Double) {
        let exchanges = stride(from: 0, to: texts.count - 1, by: 2).map { index in
            Exchange(
                id: "text-\(index)", timestamp: Date(timeIntervalSince1970: Double(index)),
                session: "session-\(index / 40)",
                messages: [
                    ChatMessage(role: .user, content: texts[index]),
                    ChatMessage(role: .assistant, content: texts[index + 1]),
                ])
        }
        let cleaned = exchanges.cleaned
        let clock = ContinuousClock()
        var (ingests, embeddings): ([Double], [Double]) = ([], [])
        for _ in 0..<reps {
            let folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("circadia-bench-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let store = try RetrievalStore(directory: folder, embedder: embedder)
            defer { store.close() }
            ingests.append(
                try clock.measure {
                    try store.ingest(cleaned, policy: .chat)
                } / .seconds(1))
            let size = 2 * RetrievalStore.batchSize
            embeddings.append(
                clock.measure {
                    for start in stride(from: 0, to: 2 * exchanges.count, by: size) {
                        let end = min(2 * exchanges.count, start + size)
                        _ = embedder.embed(Array(texts[start..<end]))
                    }
                } / .seconds(1))
        }
        return (ingests.sorted()[reps / 2], embeddings.sorted()[reps / 2])
    }

    /// Little-endian f32, one vector after the other.
    private static func write(_ vectors: [[Float]], to file: URL) throws {
        var bytes = Data()
        for vector in vectors { vector.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        try bytes.write(to: file)
    }

    private static let textsAtOnce = 32
}
