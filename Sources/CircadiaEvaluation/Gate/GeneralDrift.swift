import Foundation

/// How far an adapter has moved a model from its base, on general texts that no night trains on.
package struct GeneralDrift: Codable, Sendable, Equatable {
    /// The texts of one kind.
    package struct Kind: Codable, Sendable, Equatable {
        /// `GeneralText.Kind`.
        package let kind: String
        /// Scored tokens.
        package let tokens: Int
        /// Nats a token with the base model and with the adapter.
        package let lossBase, loss: Double
        /// What the adapter adds to the perplexity, as a share of it.
        package let perplexityChange: Double
        /// Texts that the adapter makes likelier, and those that it makes less likely.
        package let better, worse: Int
        /// Two-sided p of the sign test on them.
        package let pValue: Double
        /// Mean KL(base ‖ adapter), nats a token.
        package let divergence: Double
    }

    /// One text's scored tokens.
    package struct Text: Sendable {
        let kind: GeneralText.Kind
        let pairs: [PredictionPair]

        /// A text's predictions, by the base model and with the adapter.
        package init(kind: GeneralText.Kind, pairs: [PredictionPair]) {
            self.kind = kind
            self.pairs = pairs
        }
    }

    /// By kind, in the order of `GeneralText.Kind`.
    package let kinds: [Kind]
    /// Mean KL(base ‖ adapter) over all scored tokens, nats a token.
    package let divergence: Double

    /// Puts texts together; nil where nothing is scored.
    package init?(_ texts: [Text]) {
        let all = texts.flatMap(\.pairs)
        guard !all.isEmpty else { return nil }
        func mean(_ pairs: [PredictionPair], _ value: (PredictionPair) -> Double) -> Double {
            pairs.reduce(0) { $0 + value($1) } / Double(max(1, pairs.count))
        }
        divergence = mean(all, \.divergence)
        kinds = GeneralText.Kind.allCases.compactMap { kind in
            let own = texts.filter { $0.kind == kind && !$0.pairs.isEmpty }
            guard !own.isEmpty else { return nil }
            let pairs = own.flatMap(\.pairs)
            let (before, after) = (mean(pairs, \.firstLoss), mean(pairs, \.secondLoss))
            let changes = own.map { mean($0.pairs, \.secondLoss) - mean($0.pairs, \.firstLoss) }
            let (better, worse) = (changes.count { $0 < 0 }, changes.count { $0 > 0 })
            return Kind(
                kind: kind.rawValue, tokens: pairs.count, lossBase: before, loss: after,
                perplexityChange: exp(after - before) - 1, better: better, worse: worse,
                pValue: Statistics.signTest(gains: better, losses: worse),
                divergence: mean(pairs, \.divergence))
        }
    }
}
