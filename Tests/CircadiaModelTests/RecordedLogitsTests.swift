import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFormats
import CircadiaKernels
import CircadiaModel

extension ModelTests {
    /// The real model against what mlx_lm said (`Fixtures/record_logits.py`).
    @Suite(.enabled(if: Surroundings.chatModel != nil, "smollm2-135m is not installed"))
    struct RecordedLogitsTests {
        struct Record: Decodable {
            var ids: [Int32]
            var top: [[Double]]
            var logSum: Double
        }

        private static let directory = Surroundings.chatModel
        private static let records: [Record] =
            (try? JSONDecoder().decode(
                [Record].self,
                from: Data(contentsOf: Surroundings.fixture("smollm2_logits.json")))) ?? []

        /// The largest differences over all prompts: of a logit among the top 20, and of the
        /// probability of such a token.
        private func differences(
            _ precision: Precision
        ) throws -> (logit: Double, probability: Double, sameBest: Int) {
            let model = try AdaptedModel(
                try ModelDirectory(try #require(Self.directory)), precision)
            var logit = 0.0
            var probability = 0.0
            var sameBest = 0
            for record in Self.records {
                let cache = model.makeCache(capacity: record.ids.count)
                let logits = copy(model.forward(record.ids, cache: cache)).map(Double.init)
                let maximum = logits.max() ?? 0
                let logSum = maximum + log(logits.reduce(0) { $0 + exp($1 - maximum) })
                for entry in record.top {
                    let found = logits[Int(entry[0])]
                    logit = max(logit, abs(found - entry[1]))
                    probability = max(
                        probability, abs(exp(found - logSum) - exp(entry[1] - record.logSum)))
                }
                if logits.firstIndex(of: maximum) == Int(record.top[0][0]) { sameBest += 1 }
            }
            return (logit, probability, sameBest)
        }

        @Test func theExactPathAgrees() throws {
            #expect(Self.records.count == 8)
            let found = try differences(.exact)
            #expect(found.logit < 2e-3, "\(found)")
            #expect(found.probability < 2e-4, "\(found)")
            #expect(found.sameBest == 8)
        }

        /// Kullback-Leibler divergence from the exact path, per token, over all prompts. llama.cpp
        /// with 8-bit activations has a mean of 0.0025 on this model.
        @Test func the8BitPathIsNear() throws {
            let directory = try ModelDirectory(try #require(Self.directory))
            let exact = try AdaptedModel(directory)
            let fast = try AdaptedModel(directory, .int8)
            var sum = 0.0
            var tokens = 0
            var sameBest = 0
            for record in Self.records {
                let p = exact.forward(
                    record.ids, cache: exact.makeCache(capacity: record.ids.count), logits: .all)
                let q = fast.forward(
                    record.ids, cache: fast.makeCache(capacity: record.ids.count), logits: .all)
                for row in 0..<record.ids.count {
                    let (divergence, isSameBest) = Self.compare(p[row], q[row])
                    sum += divergence
                    sameBest += isSameBest ? 1 : 0
                    tokens += 1
                }
            }
            #expect(sum / Double(tokens) < 0.004, "\(sum / Double(tokens)) nats a token")
            #expect(Double(sameBest) > 0.96 * Double(tokens), "\(sameBest) of \(tokens)")
        }

        /// `KL(p, q)` in nats, and whether both prefer the same token.
        private static func compare(
            _ p: UnsafeMutableBufferPointer<Float>, _ q: UnsafeMutableBufferPointer<Float>
        ) -> (Double, Bool) {
            func logSum(_ x: UnsafeMutableBufferPointer<Float>) -> (Double, Int) {
                let best = x.indices.max { x[$0] < x[$1] } ?? 0
                let maximum = Double(x[best])
                return (maximum + log(x.reduce(0.0) { $0 + exp(Double($1) - maximum) }), best)
            }
            let (pSum, pBest) = logSum(p)
            let (qSum, qBest) = logSum(q)
            var divergence = 0.0
            for (a, b) in zip(p, q) {
                let logP = Double(a) - pSum
                divergence += exp(logP) * (logP - Double(b) + qSum)
            }
            return (divergence, pBest == qBest)
        }
    }

    /// Two blocks of Llama-3.2-3B's shape with random bf16-scaled weights against mlx_lm.
    @Suite(.enabled(if: Surroundings.peersPython != nil, "CIRCADIA_PEERS_PYTHON is not set"))
    struct WideStackTests {
        @Test func logitsAgreeWithMLX() throws {
            let folder = try TemporaryFolder()
            var object = RandomModel.llama3B
            object["num_hidden_layers"] = .integer(2)
            object["vocab_size"] = .integer(2048)
            try RandomModel.write(configuration: .object(object), to: folder.url)
            let directory = try ModelDirectory(folder.url)
            let tokens = TinyModel.tokens(24, below: 2048)
            let list = tokens.map(String.init).joined(separator: ",")
            let lines = try Surroundings.python(
                Surroundings.fixture("mlx_logits.py"), [folder.url.path, list])
            let expected = try lines.flatMap {
                try JSONDecoder().decode([Float].self, from: Data($0.utf8))
            }
            #expect(expected.count == 24 * 2048)
            for (precision, tolerance) in [(Precision.exact, Float(1e-4)), (.int8, 0.05)] {
                let model = try AdaptedModel(directory, precision)
                let logits = copy(
                    model.forward(tokens, cache: model.makeCache(capacity: 24), logits: .all))
                let difference = relativeDifference(logits, expected)
                #expect(difference < tolerance, "\(precision): \(difference)")
            }
        }
    }
}
