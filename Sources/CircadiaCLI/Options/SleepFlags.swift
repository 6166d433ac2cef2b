import ArgumentParser
import CircadiaSleep
import Foundation

/// The settings of a night. `run-cycle` takes every one of them with the prefix `--sleep-`.
struct SleepFlags: ParsableArguments {
    @Option(help: "Optimiser steps.")
    var iters = 50

    @Option(help: "Peak learning rate.")
    var learningRate: Float = 2e-5

    @Option(help: "Exchanges in a step.")
    var batchSize = 4

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
        help: "General-purpose pairs mixed in per exchange, so that skills are rehearsed; 0: none.")
    var rehearsal = 1.4

    @Option(
        name: .customLong("kl-weight"),
        help: """
            Weight of the general pairs' KL divergence from the base model, which they hold small; \
            0 trains on their answers instead.
            """)
    var klWeight = 0.0

    @Option(help: "Share of conversations that are never trained on, only measured.")
    var heldOut = 0.15

    @Flag(help: "Promote the adapter whatever its held-out loss.")
    var noGate = false

    func validate() throws {
        if iters < 1 { throw ValidationError("--iters must be at least 1") }
        if !(learningRate > 0) { throw ValidationError("--learning-rate must be positive") }
        if batchSize < 1 { throw ValidationError("--batch-size must be at least 1") }
        if maxSeqLen < 16 { throw ValidationError("--max-seq-len must be at least 16") }
        if !(0..<1).contains(heldOut) { throw ValidationError("--held-out must lie in 0 ..< 1") }
        if !(klWeight >= 0) { throw ValidationError("--kl-weight must not be negative") }
        if !(rehearsal >= 0) { throw ValidationError("--rehearsal must not be negative") }
    }

    func options(seed: UInt64) -> SleepOptions {
        var options = SleepOptions()
        options.iterations = iters
        options.learningRate = learningRate
        options.batchSize = batchSize
        options.loraRank = lora.loraR
        options.loraScale = lora.scale
        options.loraLayers = lora.loraLayers
        options.loraKeys = lora.loraKeys
        options.usesDoRA = lora.dora
        options.matchesMLX = matchesMLX
        options.maxSequenceLength = maxSeqLen
        options.warmupSteps = warmup ?? (matchesMLX ? 0 : 5)
        options.resetAdapter = resetAdapter
        options.augmentedPairs = augment ? augmentPairs : 0
        options.rehearsalShare = rehearsal
        options.divergenceWeight = klWeight > 0 ? klWeight : nil
        options.heldOutShare = heldOut
        options.gateTolerance = noGate ? nil : options.gateTolerance
        options.seed = seed
        return options
    }
}

/// Retrieval during a night.
struct NightStoreFlags: ParsableArguments {
    @Flag(help: "Send what the router picks to the retrieval store.")
    var rag = false

    @Option(help: ArgumentHelp("The retrieval store's folder.", valueName: "dir"))
    var ragDir = "data/rag_memory"

    @Flag(help: "Empty the store first.")
    var ragClear = false
}
