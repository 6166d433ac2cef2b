import CircadiaTestSupport
import Foundation
import Testing

import CircadiaModel

extension ModelTests {
    @Suite(.enabled(if: Surroundings.embedder != nil, "all-minilm-l6-v2 is not installed"))
    struct EmbedderTests {
        struct Record: Decodable {
            var text: String?
            var ids: [Int32]
            var vector: [Float]
        }

        private func embedder() throws -> SentenceEmbedder {
            try SentenceEmbedder(directory: try #require(Surroundings.embedder))
        }

        private func cosine(_ a: [Float], _ b: [Float]) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }

        @Test func recordedVectorsAgree() throws {
            let embedder = try embedder()
            let records = try JSONDecoder().decode(
                [Record].self,
                from: Data(contentsOf: Surroundings.fixture("minilm_embeddings.json")))
            #expect(records.count == 12)
            let vectors = embedder.embed(records.map { $0.text ?? "" })
            let fromTokens = embedder.embed(tokens: records.map(\.ids))
            for (index, record) in records.enumerated() {
                #expect(vectors[index] == fromTokens[index], "text \(index): other tokens")
                for (found, expected) in zip(vectors[index], record.vector) {
                    #expect(abs(found - expected) < 2e-5, "text \(index)")
                }
                #expect(abs(cosine(vectors[index], vectors[index]) - 1) < 1e-6)
                #expect(vectors[index].count == 384)
            }
        }

        @Test func fastVectorsAreNearExactOnes() throws {
            let exact = try embedder()
            let fast = try SentenceEmbedder(
                directory: try #require(Surroundings.embedder), precision: .bf16)
            let texts = (0..<60).map {
                "My sister moved to Ghent in \(1990 + $0) and keeps \($0) bees by the river. "
                    + String(repeating: "She likes it there. ", count: $0 % 9)
            }
            for (one, other) in zip(exact.embed(texts), fast.embed(texts)) {
                #expect(cosine(one, other) > 0.999)
            }
        }

        @Test func questionsAreNearExactOnes() throws {
            let embedder = try embedder()
            let questions = (0..<40).map { number in
                "When did my sister move to Ghent, and what became of her \(number) bees?"
                    + String(repeating: " I forgot.", count: number % 4)
            }
            for (question, exact) in zip(questions, embedder.embed(questions)) {
                let fast = embedder.embed(question: question)
                #expect(cosine(fast, exact) > 0.999)
                #expect(abs(cosine(fast, fast) - 1) < 1e-6)
            }
        }

        @Test func aVectorDoesNotDependOnItsBatch() throws {
            let embedder = try embedder()
            let texts = (0..<120).map { String(repeating: "some words ", count: $0 % 40) + "\($0)" }
            let together = embedder.embed(texts)
            for index in stride(from: 0, to: texts.count, by: 17) {
                let alone = embedder.embed([texts[index]])[0]
                #expect(relativeDifference(alone, together[index]) < 1e-5)
            }
            #expect(embedder.embed([String]()).isEmpty)
        }

        @Test(.enabled(if: Surroundings.hasTorch, "no torch in CIRCADIA_PEERS_PYTHON"))
        func manyTextsAgreeWithTorch() throws {
            let folder = try TemporaryFolder()
            var random = SeededGenerator(seed: 1)
            let words = """
                garden Tuesday naïve 東京 running func() 3.14159 don't e-mail \u{1F600} übermäßig \
                http://a.b/c?d=e NASA we're антенна zzyzx 2024-05-08 quantum, yes! "quoted" (maybe)
                """.split(separator: " ")
            let texts = (0..<220).map { number in
                (0..<(number % 60 + 1)).map { _ in
                    String(words[Int(random.next() % UInt64(words.count))])
                }.joined(separator: " ")
            }
            try JSONEncoder().encode(texts).write(to: folder.file("texts.json"))
            let lines = try Surroundings.python(
                Surroundings.fixture("record_embeddings.py"),
                [try #require(Surroundings.embedder).path, folder.file("texts.json").path])
            let vectors = try embedder().embed(texts)
            #expect(lines.count == texts.count)
            for (index, line) in lines.enumerated() {
                let record = try JSONDecoder().decode(Record.self, from: Data(line.utf8))
                #expect(cosine(vectors[index], record.vector) > 0.99999, "text \(index)")
            }
        }
    }
}
