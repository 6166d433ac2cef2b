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

    @Flag(name: .shortAndLong, help: "Print results only, no remarks and no progress.")
    var quiet = false

    var console: Console { Console(isQuiet: quiet) }
}

/// Flags of every command that runs a model.
struct ModelOptions: ParsableArguments {
    @Option(
        name: [.long, .customLong("model-id")],
        help: ArgumentHelp(
            "A model's name ('circadia model list') or its MLX directory.", valueName: "name|path"))
    var model = "smollm2-135m"

    @Option(help: "Threads; 0 means one per processor.")
    var threads = 0

    @Option(help: "Bits of a number in the cache of keys and values: 8, or 16.")
    var kvBits = 8

    @Option(
        name: .customLong("seed"),
        help: "Seed of everything random; without it a chat differs every time.")
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

    @Flag(help: "Run the base model, also where an adapter is present.")
    var noAdapter = false

    var url: URL { URL(fileURLWithPath: adapterDir, isDirectory: true) }

    /// The adapter's folder where one is present and wanted.
    var presentURL: URL? {
        !noAdapter && AdapterDirectory.isPresent(at: url) ? url : nil
    }

    /// The model with the adapter where one is present and wanted; says so.
    func apply(to loaded: LoadedModel, console: Console) throws -> AdaptedModel {
        guard let url = presentURL else { return AdaptedModel(loaded.model, adapter: nil) }
        let adapter = try loaded.loadAdapter(from: url)
        console.note("adapter: \(url.relativePath)")
        return AdaptedModel(loaded.model, adapter: adapter)
    }
}

/// How replies are drawn.
struct SamplingFlags: ParsableArguments {
    @Option(help: "Tokens a reply may have at most.")
    var maxTokens = 256

    @Option(help: "Temperature; 0 always takes the likeliest token.")
    var temp: Float = 0.7

    @Option(help: "Draw from the likeliest tokens that together reach this probability.")
    var topP: Float = 0.9

    @Option(help: "Draw from this many of the likeliest tokens; 0 means all.")
    var topK = 0

    @Option(help: "Leave out tokens less likely than this share of the likeliest one.")
    var minP: Float = 0

    @Option(help: "Divide the logits of tokens that appeared already; 1 changes nothing.")
    var repetitionPenalty: Float = 1

    @Flag(
        inversion: .prefixedNo,
        help: "Guess tokens from earlier text and check them together; the text stays the same.")
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
