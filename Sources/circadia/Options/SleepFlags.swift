import ArgumentParser
import CircadiaApp
import CircadiaNight
import CircadiaTraining
import Foundation

/// The settings of a night. `run-cycle` takes every one of them with the prefix `--sleep-`.
struct SleepFlags: ParsableArguments {
    @Option(
        help:
            "Optimiser steps. (default: 1.5 passes over everything that is trained, 8 to 300 steps)"
    )
    var iters: Int?

    @Option(help: "Passes over everything that is trained, instead of --iters.")
    var epochs: Double?

    @Option(help: "Peak learning rate.")
    var learningRate: Float = 2e-4

    @Option(help: "Exchanges and general texts in a step.")
    var batchSize = 6

    @Option(help: "Micro-batches of --batch-size rows that make one step.")
    var gradAccumulation = 1

    @Option(help: "adam, or adamw for decoupled weight decay.")
    var optimizer = SleepOptions.Optimizer.adam

    @Option(help: "Weight decay of adamw.")
    var weightDecay: Float = 0.01

    @Flag(inversion: .prefixedNo, help: "Divide Adam's moments by 1 − βᵗ.")
    var biasCorrection = true

    @Option(help: "Learning rate after the warm-up: constant or cosine.")
    var schedule = TrainingOptions.Schedule.constant

    @Option(help: "Gradients of a larger norm are scaled down to it; 0 leaves them.")
    var clip: Float = 1

    @Option(help: "Share of the adapters' input that is left out at random in training.")
    var dropout = 0.0

    @Option(
        help: "Steps between evaluations on what is held out; the best numbers are kept. 0: none.")
    var evalEvery = 0

    @Option(help: "Evaluations without a lower loss after which training ends; 0: never.")
    var patience = 0

    @Option(
        help: ArgumentHelp(
            "Most memory of the process, such as 2GB or 800MB; picks the micro-batch.",
            valueName: "size"))
    var memoryLimit: ByteSize?

    @Option(
        help: ArgumentHelp(
            "End before this time of day; steps that do not fit are left out.",
            valueName: "hh:mm"))
    var finishBy: TimeOfDay?

    @OptionGroup var lora: LoRAFlags

    @Option(help: "Tokens at which an exchange is cut.")
    var maxSeqLen = 1024

    @Option(
        help: "Steps over which the learning rate rises. (default: 5; 0 with --mlx-compat)")
    var warmup: Int?

    @Flag(
        name: .customLong("mlx-compat"),
        help: """
            Train as mlx_lm.lora does, to compare with it: prompts too, its batches and Adam \
            without bias correction, no clipping.
            """)
    var matchesMLX = false

    @Flag(help: "Start from a fresh adapter instead of going on with the present one.")
    var resetAdapter = false

    @Flag(help: "Let the model write paraphrases of what was said, and train on them too.")
    var augment = false

    @Option(help: "With --augment: paraphrases to train on at most.")
    var augmentPairs = 24

    @Option(
        help: ArgumentHelp(
            "Pairs for each preference that you stated in chats, such as short answers; 0: none.",
            discussion:
                "The model answers with the preference in view, and learns to do so without."
        ))
    var preferencePairs = 32

    @Option(
        help: "General-purpose texts mixed in per exchange, so that skills are rehearsed; 0: none.")
    var rehearsal = 0.5

    @Option(
        help: """
            Share of older exchanges among your own that a night trains, those that are due for \
            rehearsal; 0: none, 1: every older one, every night. (default: 0.3, and as many more as \
            the steps reach in one pass)
            """)
    var replayShare: Double?

    @Option(
        name: .customLong("kl-weight"),
        help: """
            Weight of the general texts' KL divergence from the base model, which they hold small; \
            0 trains on their words instead. (default: 10; 0 with --mlx-compat)
            """)
    var klWeight: Double?

    @Option(help: "Share of conversations that are never trained on, only measured.")
    var heldOut = 0.15

    @Option(help: "Steps between checkpoints for --resume; 0 leaves only the first.")
    var checkpointEvery = 10

    @Option(
        help: "Held-out questions answered before and after, for 'circadia report'; 0: none.")
    var reportQuestions = 3

    @Option(help: "Tokens that such an answer may have.")
    var reportTokens = 64

    @Option(
        help: "Versions of the adapter that stay, the latest and those in use; 0: all of them.")
    var keepVersions = Night.usualVersions

    @Flag(help: "Promote the adapter without judging it.")
    var noGate = false

    @Flag(help: "Judge by the held-out loss alone, not by general texts, replies and the harness.")
    var quickGate = false

    func validate() throws {
        if reportQuestions < 0 {
            throw ValidationError("--report-questions must not be negative")
        }
        if keepVersions < 0 { throw ValidationError("--keep-versions must not be negative") }
        if reportTokens < 1 { throw ValidationError("--report-tokens must be at least 1") }
        if noGate, quickGate {
            throw ValidationError("--no-gate and --quick-gate cannot both be given")
        }
        if iters != nil, epochs != nil {
            throw ValidationError("--iters and --epochs cannot both be given")
        }
        if let epochs, !(epochs > 0 && epochs <= 10_000) {
            throw ValidationError("--epochs must be above 0, at most 10000")
        }
        if gradAccumulation < 1 {
            throw ValidationError("--grad-accumulation must be at least 1")
        }
        if !(weightDecay >= 0 && weightDecay < 1) {
            throw ValidationError("--weight-decay must lie in 0 ..< 1")
        }
        if !(clip >= 0) { throw ValidationError("--clip must not be negative") }
        if !(0..<0.95).contains(dropout) {
            throw ValidationError("--dropout must lie in 0 ..< 0.95")
        }
        if evalEvery < 0 { throw ValidationError("--eval-every must not be negative") }
        if patience < 0 { throw ValidationError("--patience must not be negative") }
        if patience > 0, evalEvery == 0 {
            throw ValidationError("--patience needs --eval-every")
        }
        if patience > 0, heldOut == 0 {
            throw ValidationError("--patience needs conversations held out: --held-out above 0")
        }
        if iters ?? 1 < 1 { throw ValidationError("--iters must be at least 1") }
        if !(learningRate > 0) { throw ValidationError("--learning-rate must be positive") }
        if batchSize < 1 { throw ValidationError("--batch-size must be at least 1") }
        if maxSeqLen < 16 { throw ValidationError("--max-seq-len must be at least 16") }
        if !(0..<1).contains(heldOut) { throw ValidationError("--held-out must lie in 0 ..< 1") }
        if let klWeight, !(klWeight >= 0) {
            throw ValidationError("--kl-weight must not be negative")
        }
        if let replayShare, !(0...1).contains(replayShare) {
            throw ValidationError("--replay-share must lie in 0 ... 1")
        }
        if checkpointEvery < 0 {
            throw ValidationError("--checkpoint-every must not be negative")
        }
        if preferencePairs < 0 {
            throw ValidationError("--preference-pairs must not be negative")
        }
        if matchesMLX { try validateMatchingMLX() }
        if !(rehearsal >= 0) { throw ValidationError("--rehearsal must not be negative") }
    }

    /// Refuses what `--mlx-compat` would silently leave out.
    private func validateMatchingMLX() throws {
        let others = [
            ("--optimizer adamw", optimizer == .adamw), ("--clip", clip != 1),
            ("--grad-accumulation", gradAccumulation > 1), ("--kl-weight", klWeight ?? 0 > 0),
        ]
        for (flag, isGiven) in others where isGiven {
            throw ValidationError(
                "--mlx-compat trains as mlx_lm.lora does; \(flag) cannot be had with it")
        }
    }

    func options(seed: UInt64) -> SleepOptions {
        var options = SleepOptions()
        options.iterations = iters
        options.epochs = epochs
        options.gradientAccumulation = gradAccumulation
        options.optimizer = optimizer
        options.weightDecay = weightDecay
        options.usesBiasCorrection = biasCorrection
        options.schedule = schedule
        options.clipNorm = clip
        options.dropout = dropout
        options.evaluationInterval = evalEvery
        options.patience = patience
        options.memoryLimit = memoryLimit?.bytes
        options.finishBy = finishBy?.next(after: Date())
        options.learningRate = learningRate
        options.batchSize = batchSize
        options.loraRank = lora.loraR
        options.loraScale = lora.scale
        options.loraLayers = lora.loraLayers ?? options.loraLayers
        options.loraKeys = lora.loraKeys
        options.usesDoRA = lora.dora
        options.matchesMLX = matchesMLX
        options.maxSequenceLength = maxSeqLen
        options.warmupSteps = warmup ?? (matchesMLX ? 0 : 5)
        options.resetAdapter = resetAdapter
        options.augmentedPairs = augment ? augmentPairs : 0
        options.preferencePairs = matchesMLX ? 0 : preferencePairs
        options.rehearsalShare = rehearsal
        options.replayShare = replayShare
        let divergenceWeight = klWeight ?? (matchesMLX ? 0 : options.divergenceWeight ?? 0)
        options.divergenceWeight = divergenceWeight > 0 ? divergenceWeight : nil
        options.heldOutShare = heldOut
        options.gate = noGate ? nil : options.gate
        options.judgesHarm = !quickGate
        options.checkpointInterval = checkpointEvery
        options.diaryQuestions = reportQuestions
        options.diaryTokens = reportTokens
        options.seed = seed
        return options
    }
}

extension SleepFlags {
    /// What a night is run with, as the flags say.
    func settings(
        adapterDirectory: URL, logPath: String, store: NightStoreFlags, seed: UInt64
    ) -> NightRunner.Settings {
        var settings = NightRunner.Settings(
            adapterDirectory: adapterDirectory, logPath: logPath, options: options(seed: seed))
        settings.keptVersions = keepVersions
        if store.rag {
            settings.store = NightRunner.Store(
                isCleared: store.ragClear, keepsSecrets: store.keepSecrets,
                open: store.location.open)
        }
        return settings
    }
}

extension SleepOptions.Optimizer: ExpressibleByArgument {}
extension TrainingOptions.Schedule: ExpressibleByArgument {}

/// Retrieval during a night.
struct NightStoreFlags: ParsableArguments {
    @Flag(help: "Send what the router picks to the retrieval store.")
    var rag = false

    @OptionGroup var location: StoreOptions

    @Flag(help: "Empty the store first.")
    var ragClear = false

    @Flag(help: "Keep keys, passwords and account numbers in the store; they never train.")
    var keepSecrets = false
}
