import CircadiaFormats
import CircadiaMemory
import CircadiaModel
import Foundation
import Testing

/// Speed and size of a large store, measured where `CIRCADIA_MEASURE_STORE` names how many
/// exchanges it should have; nothing is asserted, for a busy machine is no fault of the code.
@Suite(
    "Retrieval store: measurement",
    .enabled(if: ProcessInfo.processInfo.environment["CIRCADIA_MEASURE_STORE"] != nil))
struct StoreMeasurement {
    /// Embeds a single text, a question, with the real model; fills the store with directions that
    /// follow from a text's hash, which cost nothing.
    private struct QuestionEmbedder: TextEmbedding {
        let model: SentenceEmbedder?
        var dimension: Int { 384 }
        var identifier: String { "measurement" }

        func embed(_ texts: [String]) throws -> [[Float]] {
            if texts.count == 1, let model { return model.embed(texts) }
            return texts.map { text in
                var state = text.utf8.reduce(UInt64(5381)) { ($0 &* 33) ^ UInt64($1) }
                var vector = (0..<dimension).map { _ in
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23)
                }
                let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
                for index in vector.indices { vector[index] /= length }
                return vector
            }
        }
    }

    /// Words that are as frequent as Zipf's law has them.
    private static func exchange(_ number: Int) -> Exchange {
        var state = UInt64(number) &* 0x9E37_79B9_7F4A_7C15
        func word() -> String {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let share = Double(state >> 11) / Double(1 << 53)
            return "w\(String(Int(pow(30_000, share)), radix: 36))q"
        }
        let side = { (0..<25).map { _ in word() }.joined(separator: " ") }
        return CircadiaMemoryTests.exchange(
            "m\(number)", side(), side(), day: number / 50, session: "s\(number / 20)")
    }

    @Test func measure() throws {
        let environment = ProcessInfo.processInfo.environment
        let count = Int(environment["CIRCADIA_MEASURE_STORE"] ?? "") ?? 100_000
        let model = try? ModelStore.resolve("all-minilm-l6-v2")
        let embedder = QuestionEmbedder(
            model: try model.map { try SentenceEmbedder(directory: $0) })
        // A folder that is kept is filled once.
        let temporary = try TemporaryFolder()
        let directory =
            environment["CIRCADIA_MEASURE_FOLDER"].map { URL(fileURLWithPath: $0) }
            ?? temporary.file("rag")
        let clock = ContinuousClock()
        func seconds(_ body: () throws -> Void) rethrows -> Double {
            try clock.measure(body) / .seconds(1)
        }
        let filling = try seconds {
            let store = try RetrievalStore(directory: directory, embedder: embedder)
            for start in stride(from: try store.count(), to: count, by: 1024) {
                let batch = (start..<min(count, start + 1024)).map(Self.exchange)
                try store.ingest(batch, selection: .everything)
            }
            store.close()
        }
        var store: RetrievalStore?
        let opening = try seconds {
            store = try RetrievalStore(directory: directory, embedder: embedder)
        }
        let opened = try #require(store)
        let first = try seconds { _ = try opened.search("w1q w2sq w8cq", limit: 10) }
        let questions = (0..<60).map { number in
            "When did w\(String(7 + number, radix: 36))q and w\(String(200 + 31 * number, radix: 36))q "
                + "go to w\(String(5000 + 97 * number, radix: 36))q with us?"
        }
        let searches = try questions.map { question in
            try seconds { _ = try opened.search(question, limit: 10) }
        }.sorted()
        let embeddings = try questions.map { question in
            try seconds { _ = try embedder.embed([question]) }
        }.sorted()
        let size = try opened.statistics().byteCount
        print(
            """
            store of \(count): filled in \(filling) s, \(size) bytes, opened in \(opening) s, \
            first search \(first) s, median search \(searches[30]) s (fastest \(searches[0]) s), \
            of it the question's embedding \(embeddings[30]) s
            """)
    }
}
