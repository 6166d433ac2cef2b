import ArgumentParser
import CircadiaFormats
import CircadiaHub
import CircadiaKernels
import CircadiaModel
import CircadiaTokenizer
import Foundation

/// Flags that every command takes.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print one JSON document (or JSON lines) on standard output.")
    var json = false

    @Flag(name: .shortAndLong, help: "Print results only: no remarks, no progress.")
    var quiet = false

    var console: Console { Console(isQuiet: quiet) }
}

/// Flags of every command that runs a model.
struct ModelOptions: ParsableArguments {
    @Option(
        name: [.long, .customLong("model-id")],
        help: ArgumentHelp(
            "The model: a name ('circadia model list') or an MLX directory.", valueName: "name|path"
        ))
    var model = "smollm2-135m"

    @Option(help: "Number of threads; 0 means one per processor.")
    var threads = 0

    @Option(help: "Bits of each number in the KV cache: 8 or 16.")
    var kvBits = 8

    @Option(
        name: .customLong("seed"),
        help: "Seed for everything random. Without it, every chat differs.")
    var givenSeed: UInt64?

    var seed: UInt64 { givenSeed ?? 0 }

    func validate() throws {
        if threads < 0 { throw ValidationError("--threads must not be negative") }
        if ![8, 16].contains(kvBits) { throw ValidationError("--kv-bits is 8 or 16") }
    }

    /// Sets up the kernels and loads the model, without an adapter.
    func loadModel() throws -> LoadedModel {
        try KernelRuntime.configure(threads: threads)
        return try LoadedModel(
            at: ModelStore.resolve(model), name: model,
            cacheFormat: kvBits == 8 ? .int8 : .int16)
    }

    /// The tokenizer of the model, without its weights.
    func loadTokenizer() throws -> BPETokenizer {
        try BPETokenizer(directory: ModelStore.resolve(model))
    }
}

/// Which adapter a command applies.
struct AdapterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The adapter's folder.", valueName: "dir"))
    var adapterDir = "adapters/nightly_update"

    @Flag(help: "Run the base model even if there is an adapter.")
    var noAdapter = false

    var url: URL { URL(fileURLWithPath: adapterDir, isDirectory: true) }

    /// The adapter's folder; nil if there is no adapter or it is not wanted.
    var presentURL: URL? {
        !noAdapter && AdapterDirectory.isPresent(at: url) ? url : nil
    }

    /// The model, with the adapter applied if there is one and it is wanted; prints its path.
    func apply(to loaded: LoadedModel, console: Console) throws -> AdaptedModel {
        guard let url = presentURL else { return AdaptedModel(loaded.model, adapter: nil) }
        let adapter = try loaded.loadAdapter(from: url)
        console.note("adapter: \(url.relativePath)")
        return AdaptedModel(loaded.model, adapter: adapter)
    }
}

/// How the tokens of a reply are sampled.
struct SamplingFlags: ParsableArguments {
    @Option(help: "Most tokens of a reply.")
    var maxTokens = 256

    @Option(help: "Sampling temperature; 0 always takes the likeliest token.")
    var temp: Float = 0.7

    @Option(help: "Sample from the likeliest tokens whose probabilities add up to this.")
    var topP: Float = 0.9

    @Option(help: "Sample from this many of the likeliest tokens; 0 means all.")
    var topK = 0

    @Option(help: "Ignore tokens whose probability is below this share of the likeliest one's.")
    var minP: Float = 0

    @Option(
        help:
            "Make tokens that already appeared less likely: their logits are divided by this; 1 is off."
    )
    var repetitionPenalty: Float = 1

    @Flag(
        inversion: .prefixedNo,
        help: "Decode faster by guessing tokens from earlier text; the reply stays the same.")
    var lookup = true

    var options: SamplingOptions {
        var options = SamplingOptions()
        options.maxTokens = maxTokens
        options.temperature = temp
        options.topP = topP
        options.topK = topK
        options.minP = minP
        options.repetitionPenalty = repetitionPenalty
        options.usesLookup = lookup
        return options
    }

    func validate() throws {
        if maxTokens < 1 { throw ValidationError("--max-tokens must be at least 1") }
        if !(temp >= 0) { throw ValidationError("--temp must not be negative") }
        if !(topP > 0 && topP <= 1) { throw ValidationError("--top-p must be above 0, at most 1") }
        if topK < 0 { throw ValidationError("--top-k must not be negative") }
        if !(minP >= 0 && minP < 1) { throw ValidationError("--min-p must lie in 0 ..< 1") }
        if !(repetitionPenalty > 0) {
            throw ValidationError("--repetition-penalty must be positive")
        }
    }
}
