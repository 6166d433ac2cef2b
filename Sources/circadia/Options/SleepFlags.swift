import ArgumentParser
import CircadiaApp
import CircadiaNight
import CircadiaTraining
import Foundation

/// The settings of a night. `run-cycle` takes every one of them with the prefix `--sleep-`.
struct SleepFlags: ParsableArguments {
    @Option(
        help:
            "Number of training steps. (default: 1.5 passes over all rows, 8 to 300 steps)"
    )
    var iters: Int?

    @Option(help: "Number of passes over all rows. Use instead of --iters.")
    var epochs: Double?

    @Option(help: "Peak learning rate.")
    var learningRate: Float = 2e-4

    @Option(help: "Rows (exchanges and general texts) in each micro-batch.")
    var batchSize = 6

    @Option(help: "Micro-batches of --batch-size rows in each step.")
    var gradAccumulation = 1

    @Option(help: "The optimiser: adam, or adamw with decoupled weight decay.")
    var optimizer = SleepOptions.Optimizer.adam

    @Option(help: "Weight decay for adamw.")
    var weightDecay: Float = 0.01

    @Flag(
        inversion: .prefixedNo, help: "Correct the bias of Adam's moments: divide them by 1 − βᵗ.")
    var biasCorrection = true

    @Option(help: "Learning rate after the warm-up: constant or cosine.")
    var schedule = TrainingOptions.Schedule.constant

    @Option(help: "Largest norm of the gradient; a larger one is scaled down to it. 0: no limit.")
    var clip: Float = 1

    @Option(help: "Share of the adapter's input that training drops at random.")
    var dropout = 0.0

    @Option(
        help: "Measure the held-out loss every so many steps and keep the best adapter; 0: never.")
    var evalEvery = 0

    @Option(help: "End training after so many evaluations without a lower loss; 0: never.")
    var patience = 0

    @Option(
        help: ArgumentHelp(
            "Limit the memory of the process, such as 2GB or 800MB, with smaller micro-batches.",
            valueName: "size"))
    var memoryLimit: ByteSize?

    @Option(
        help: ArgumentHelp(
            "End before this time of day, with fewer steps if needed.",
            valueName: "hh:mm"))
    var finishBy: TimeOfDay?

    @OptionGroup var lora: LoRAFlags

    @Option(help: "Cut each exchange to this many tokens.")
    var maxSeqLen = 1024

    @Option(
        help:
            "Raise the learning rate over this many first steps. (default: 5; 0 with --mlx-compat)")
    var warmup: Int?

    @Flag(
        name: .customLong("mlx-compat"),
        help: """
            Train exactly as mlx_lm.lora does, for comparison: its batches, prompts trained too, \
            Adam without bias correction, no clipping.
            """)
    var matchesMLX = false

    @Flag(help: "Start with a new adapter instead of training the present one further.")
    var resetAdapter = false

    @Flag(help: "Train on paraphrases of your exchanges too, which the model writes.")
    var augment = false

    @Option(help: "Most paraphrases to train on (with --augment).")
    var augmentPairs = 24

    @Option(
        help: ArgumentHelp(
            "Pairs to train for each preference that you stated in chats, such as short answers; 0: none.",
            discussion:
                "The model writes the answers with the preference in its prompt, and learns to give "
                + "them without it."
        ))
    var preferencePairs = 32

    @Option(
        help:
            "Rehearse general texts so that skills are kept: this many for each exchange; 0: none.")
    var rehearsal = 0.5

    @Option(
        help: """
            Replay older exchanges that are due: their share among the exchanges of a night; \
            0: none, 1: every older one, every night. (default: 0.3, and more if the steps \
            have room for them in one pass)
            """)
    var replayShare: Double?

    @Option(
        name: .customLong("kl-weight"),
        help: """
            Anchor general texts to the base model with this weight of their KL divergence; \
            0 trains on their words instead. (default: 10; 0 with --mlx-compat)
            """)
    var klWeight: Double?

    @Option(help: "Share of conversations to hold out: measured, never trained on.")
    var heldOut = 0.15

    @Option(
        help: "Save a checkpoint for --resume every so many steps; 0: only before the first step.")
    var checkpointEvery = 10

    @Option(
        help:
            "Answer this many held-out questions before and after, for 'circadia report'; 0: none.")
    var reportQuestions = 3

    @Option(help: "Most tokens of each such answer.")
    var reportTokens = 64

    @Option(
        help: "Keep this many of the latest versions, and those in use; 0: all.")
    var keepVersions = Night.usualVersions

    @Flag(help: "Promote the candidate without judging it.")
    var noGate = false

    @Flag(
        help:
            "Judge the candidate by its held-out loss only, without general texts, replies and harness."
    )
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
            throw ValidationError(
                "--patience needs held-out conversations: give --held-out above 0")
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

    /// Refuses flags that `--mlx-compat` would silently ignore.
    private func validateMatchingMLX() throws {
        let others = [
            ("--optimizer adamw", optimizer == .adamw), ("--clip", clip != 1),
            ("--grad-accumulation", gradAccumulation > 1), ("--kl-weight", klWeight ?? 0 > 0),
        ]
        for (flag, isGiven) in others where isGiven {
            throw ValidationError(
                "--mlx-compat trains as mlx_lm.lora does; leave out \(flag)")
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
        options.loraKeys = lora.keys
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
    /// The settings of a night, from the flags.
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
    @Flag(help: "Add the exchanges that routing selects to the retrieval store.")
    var rag = false

    @OptionGroup var location: StoreOptions

    @Flag(help: "Empty the store before the night.")
    var ragClear = false

    @Flag(help: "Keep secrets in the store instead of redacting them; they never train.")
    var keepSecrets = false
}
