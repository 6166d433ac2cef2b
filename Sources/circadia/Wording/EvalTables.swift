import CircadiaEvaluation
import Foundation

/// A comparison of precisions, with one figure on each line.
enum PrecisionTable {
    static func text(_ comparison: PrecisionComparison) -> String {
        String(
            format: """
                8-bit against exact, %d predictions
                KL(exact || 8-bit)  mean %.5f, 99.9%% of them up to %.4f, largest %.4f nats
                perplexity          %.3f instead of %.3f (%+.3f%%)
                same top token      %.2f%%
                """, comparison.tokens, comparison.meanKL, comparison.quantile999KL,
            comparison.maximumKL, comparison.int8Perplexity, comparison.exactPerplexity,
            100 * comparison.perplexityChange, 100 * comparison.sameTopShare)
    }
}

/// Perplexities of general texts as a table.
enum DriftTable {
    static func text(_ drift: GeneralDrift) -> String {
        let rows = drift.kinds.map {
            $0.kind.padding(toLength: 12, withPad: " ", startingAt: 0)
                + String(
                    format: "perplexity %7.2f → %7.2f  %+6.1f%%  KL %.3f  (%d tokens)",
                    exp($0.lossBase), exp($0.loss), 100 * $0.perplexityChange, $0.divergence,
                    $0.tokens)
        }
        return rows.joined(separator: "\n")
    }
}

/// The harness's summary as a table.
enum HarnessTable {
    static func text(_ summary: HarnessSummary) -> String {
        func row(_ name: String, _ passed: Int, _ total: Int, _ low: Double, _ high: Double)
            -> String
        {
            name.padding(toLength: 15, withPad: " ", startingAt: 0)
                + String(format: "%3d of %3d   %3.0f–%.0f%%", passed, total, low * 100, high * 100)
        }
        var lines = summary.categories.keys.sorted().compactMap { name -> String? in
            summary.categories[name].map {
                row(name, $0.passed, $0.total, $0.ci95.first ?? 0, $0.ci95.last ?? 0)
            }
        }
        lines.append(
            row(
                "all", summary.passed, summary.total, summary.ci95.first ?? 0,
                summary.ci95.last ?? 0))
        return lines.joined(separator: "\n")
    }
}
