import CircadiaAdapters
import CircadiaNight
import Foundation

extension SleepError: CustomStringConvertible {
    /// The message: where, what happened, what to do.
    package var description: String {
        switch self {
        case .alreadySleeping(let lock):
            "another sleep is running (it holds \(lock)); wait until it ends"
        case .lockUnavailable(let path, let reason):
            "\(path): cannot take the lock: \(reason); check that the folder is writable"
        case .nothingToLearn(let path, let exchanges):
            "\(path): \(exchanges) exchanges, none with an assistant's reply to learn from; "
                + "chat first ('circadia chat'), then sleep"
        case .nothingNew(let path):
            "\(path): the adapter has learnt every exchange; chat first, replay older ones with "
                + "--replay-share above 0, or start again with --reset-adapter"
        case .nothingDue(let path):
            "\(path): nothing is new and nothing is due for rehearsal: the adapter stays as it is"
        case .interrupted(let step, let total, let folder):
            (step.map { "interrupted after step \($0) of \(total): " }
                ?? "interrupted before training began: ")
                + "the night is kept in \(folder); to resume it, add --resume to the same options; "
                + "yesterday's adapter is untouched"
        case .nothingToResume(let path):
            "\(path): no unfinished night: the last one ended, or none was begun; "
                + "sleep without --resume"
        case .nightUnreadable(let path):
            "\(path): the unfinished night is damaged or from another version of circadia; sleep "
                + "without --resume to start again"
        case .nightChanged(let differences):
            "the unfinished night cannot be resumed as it was begun: "
                + differences.map(\.description).joined(separator: "; ")
                + ". Give the options it was started with, or sleep without --resume to start again"
        case .recordNotWritten(let path, let reason):
            "\(path): cannot be written: \(reason)"
        }
    }
}

extension NightDifference: CustomStringConvertible {
    /// The difference in a few words; several are joined with semicolons.
    package var description: String {
        switch self {
        case .option(let key, let was, let now):
            "\(NightFlag.name(of: key)) was \(was), now it is \(now)"
        case .model(let name): "the model was \(name), or had other weights"
        case .instructions(let was, let now): "it ran on \(was), this machine uses \(now)"
        case .exchangesGone(let count, let total):
            "\(count) of its \(total) exchanges are no longer in the log, or differ; "
                + "forgotten exchanges are not trained"
        case .exchangesBarred(let count):
            "\(count) of its exchanges have been tagged not to be trained since"
        case .origin(.gone(let path)): "\(path), which it continued from, is gone"
        case .origin(.forgotten(let path)):
            "\(path), which it continued from, was trained on exchanges that were forgotten since"
        }
    }
}

/// The flags of a night's options.
enum NightFlag {
    /// The flag of an option.
    static func name(of key: SleepOptions.Key) -> String {
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
}
