/// The names of options under `recipe` in `night.json` and `nights.jsonl`.
///
/// This is a file format: files of version 0.1.0 have these names, and adapters are compared by
/// them. They equal the command line's flags of that version and do not change when flags do.
package enum RecipeFormat {
    /// The name of an option in the file.
    package static func name(of key: SleepOptions.Key) -> String {
        switch key {
        case .iterations: "--iters"
        case .epochs: "--epochs"
        case .learningRate: "--learning-rate"
        case .batchSize: "--batch-size"
        case .gradientAccumulation: "--grad-accumulation"
        case .schedule: "--schedule"
        case .optimizer: "--optimizer"
        case .weightDecay: "--weight-decay"
        case .withoutBiasCorrection: "--no-bias-correction"
        case .clipNorm: "--clip"
        case .dropout: "--dropout"
        case .evaluationInterval: "--eval-every"
        case .patience: "--patience"
        case .memoryLimit: "--memory-limit"
        case .loraRank: "--lora-r"
        case .loraScale: "--lora-scale"
        case .loraLayers: "--lora-layers"
        case .loraKeys: "--lora-keys"
        case .dora: "--dora"
        case .matchesMLX: "--mlx-compat"
        case .maxSequenceLength: "--max-seq-len"
        case .warmupSteps: "--warmup"
        case .resetAdapter: "--reset-adapter"
        case .augmentedPairs: "--augment"
        case .preferencePairs: "--preference-pairs"
        case .rehearsalShare: "--rehearsal"
        case .replayShare: "--replay-share"
        case .divergenceWeight: "--kl-weight"
        case .heldOutShare: "--held-out"
        case .withoutGate: "--no-gate"
        case .quickGate: "--quick-gate"
        case .seed: "--seed"
        }
    }

    /// The recipe of a night in the form of the file.
    package static func recipe(of options: SleepOptions) -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: SleepOptions.Key.allCases.map {
                (name(of: $0), options.text(of: $0))
            })
    }
}
