import CircadiaAnalysis
import CircadiaConversation
import Foundation

/// Finds exchanges of a log by words, without a store: BM25 over what was said.
package enum LogSearch {
    /// One exchange that was found.
    package struct Hit: Sendable, Hashable {
        /// The exchange.
        package let exchange: Exchange
        /// Its BM25 score; comparable within one search.
        package let score: Double
    }

    /// The exchanges that fit a query best; those without any of its words are left out.
    ///
    /// - Parameters:
    ///   - query: any text.
    ///   - exchanges: where to look.
    ///   - limit: at most so many.
    /// - Returns: the exchanges, best first; of equals the later one first.
    package static func search(_ query: String, in exchanges: [Exchange], limit: Int) -> [Hit] {
        let words = Set(WordForms.words(of: query))
        guard !words.isEmpty, !exchanges.isEmpty else { return [] }
        var counts: [[String: Int]] = []
        var lengths: [Int] = []
        var holders: [String: Int] = [:]
        for exchange in exchanges {
            let said = WordForms.words(of: exchange.transcript)
            var found: [String: Int] = [:]
            for word in said where words.contains(word) { found[word, default: 0] += 1 }
            for word in found.keys { holders[word, default: 0] += 1 }
            counts.append(found)
            lengths.append(said.count)
        }
        let mean = Double(lengths.reduce(0, +)) / Double(lengths.count)
        // Robertson & Zaragoza (2009), with their usual k1 and b.
        let hits = exchanges.indices.compactMap { index -> (Int, Double)? in
            let score = counts[index].reduce(0.0) { sum, item in
                let holderCount = Double(holders[item.key] ?? 0)
                let rarity = log(
                    1 + (Double(exchanges.count) - holderCount + 0.5) / (holderCount + 0.5))
                let frequency = Double(item.value)
                let norm = 1.2 * (0.25 + 0.75 * Double(lengths[index]) / max(mean, 1))
                return sum + rarity * frequency * 2.2 / (frequency + norm)
            }
            return score > 0 ? (index, score) : nil
        }
        return hits.sorted { ($0.1, $0.0) > ($1.1, $1.0) }.prefix(limit).map {
            Hit(exchange: exchanges[$0.0], score: $0.1)
        }
    }
}
