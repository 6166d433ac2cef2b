extension SleepOptions {
    /// The options that decide what is trained and promoted. A front end maps them to its own names.
    package enum Key: String, Sendable, CaseIterable {
        case iterations, epochs, learningRate, batchSize, gradientAccumulation, schedule, optimizer
        case weightDecay, withoutBiasCorrection, clipNorm, dropout, evaluationInterval, patience
        case memoryLimit, loraRank, loraScale, loraLayers, loraKeys, dora, matchesMLX
        case maxSequenceLength, warmupSteps, resetAdapter, augmentedPairs, preferencePairs
        case rehearsalShare, replayShare, divergenceWeight, heldOutShare, withoutGate, quickGate
        case seed
    }

    /// The value of an option as text.
    package func text(of key: Key) -> String {
        func given(_ value: (some CustomStringConvertible)?) -> String {
            value?.description ?? "not given"
        }
        func flag(_ value: Bool) -> String { value ? "on" : "off" }
        return switch key {
        case .iterations: given(iterations)
        case .epochs: given(epochs)
        case .learningRate: learningRate.description
        case .batchSize: batchSize.description
        case .gradientAccumulation: gradientAccumulation.description
        case .schedule: schedule.rawValue
        case .optimizer: optimizer.rawValue
        case .weightDecay: weightDecay.description
        case .withoutBiasCorrection: flag(!usesBiasCorrection)
        case .clipNorm: clipNorm.description
        case .dropout: dropout.description
        case .evaluationInterval: evaluationInterval.description
        case .patience: patience.description
        case .memoryLimit: given(memoryLimit.map { "\($0) bytes" })
        case .loraRank: loraRank.description
        case .loraScale: loraScale.description
        case .loraLayers: loraLayers.description
        case .loraKeys: loraKeys?.joined(separator: ",") ?? "all"
        case .dora: flag(usesDoRA)
        case .matchesMLX: flag(matchesMLX)
        case .maxSequenceLength: maxSequenceLength.description
        case .warmupSteps: warmupSteps.description
        case .resetAdapter: flag(resetAdapter)
        case .augmentedPairs: augmentedPairs > 0 ? augmentedPairs.description : "off"
        case .preferencePairs: (preferencePairs ?? 0).description
        case .rehearsalShare: rehearsalShare.description
        case .replayShare: given(replayShare)
        case .divergenceWeight: (divergenceWeight ?? 0).description
        case .heldOutShare: heldOutShare.description
        case .withoutGate: flag(gate == nil)
        case .quickGate: flag(!judgesHarm)
        case .seed: seed.description
        }
    }

    /// The options that have another value in `now`.
    package func differences(from now: SleepOptions) -> [NightDifference] {
        Key.allCases.compactMap { key in
            let (then, present) = (text(of: key), now.text(of: key))
            return then == present ? nil : .option(key, was: then, now: present)
        }
    }
}
