import Foundation

/// How well one ranked list answers a query whose evidence is known.
///
/// `ranked` is best first; an id that appears twice counts where it first appears. `relevant` is
/// the evidence; a query without evidence measures nothing and is not to be asked about.
package enum RetrievalMetrics {
    /// 1 where all the evidence is among the first `k`, else 0.
    package static func allEvidence(at k: Int, ranked: [String], relevant: Set<String>) -> Double {
        precondition(!relevant.isEmpty, "a query without evidence")
        return relevant.isSubset(of: ranked.prefix(k)) ? 1 : 0
    }

    /// One over the place of the first piece of evidence; 0 where there is none.
    package static func reciprocalRank(ranked: [String], relevant: Set<String>) -> Double {
        precondition(!relevant.isEmpty, "a query without evidence")
        return ranked.firstIndex(where: relevant.contains).map { 1 / Double($0 + 1) } ?? 0
    }

    /// Normalised discounted cumulative gain among the first `k`, with relevance 0 or 1 and the
    /// discount log2(place + 1) (Järvelin and Kekäläinen, 2002).
    package static func nDCG(at k: Int, ranked: [String], relevant: Set<String>) -> Double {
        var seen: Set<String> = []
        var gain = 0.0
        for (index, id) in ranked.prefix(k).enumerated()
        where relevant.contains(id) && seen.insert(id).inserted {
            gain += discount(index)
        }
        let ideal = (0..<min(k, Int(evidence(relevant)))).reduce(0) { $0 + discount($1) }
        return ideal > 0 ? gain / ideal : 0
    }

    private static func discount(_ index: Int) -> Double { 1 / log2(Double(index + 2)) }

    private static func evidence(_ relevant: Set<String>) -> Double {
        precondition(!relevant.isEmpty, "a query without evidence")
        return Double(relevant.count)
    }
}
