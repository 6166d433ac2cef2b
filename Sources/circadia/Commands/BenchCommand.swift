import ArgumentParser
import CircadiaFiles
import CircadiaFormats
import CircadiaKernels
import CircadiaModel
import CircadiaTraining
import Foundation

/// `circadia bench`: measures the speed of prefill, decoding, training, searching or embedding.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure prefill, decoding, training, searching or embedding on this machine.")

    @Option(help: "Measure prefill with a prompt of this many tokens; 0 skips it.")
    var prefill = 512

    @Option(help: "Measure decoding of this many tokens; 0 skips it.")
    var decode = 128

    @Option(help: "Tokens already in the context when decoding starts.")
    var depth = 0

    @Option(
        help: ArgumentHelp(
            "Measure training on B rows of T tokens, such as 4x128.", valueName: "BxT"))
    var train: String?

    @Option(help: ArgumentHelp("The precision of --train.", valueName: "bf16|f32"))
    var trainPrecision = TrainPrecision.bf16

    @Option(
        help: ArgumentHelp(
            "Measure replies to this file's questions with and without lookup decoding.",
            discussion:
                "JSON lines with \"question\", and \"asked\" and \"answer\" of an exchange to remember.",
            valueName: "file"))
    var lookup: String?

    @Option(
        help: ArgumentHelp(
            "Measure training on this log's exchanges, with packed and with padded batches.",
            valueName: "file"))
    var trainChats: String?

    @Option(help: "Exchanges in each batch of --train-chats.")
    var chatBatch = 8

    @Option(
        help: ArgumentHelp(
            "Measure searches in a store of N made-up exchanges, and nothing else.",
            valueName: "N"))
    var search: Int?

    @Option(
        help: ArgumentHelp(
            "Keep the store of --search in this folder, and add only the exchanges it lacks.",
            valueName: "dir"))
    var searchFolder: String?

    @Option(
        help: ArgumentHelp(
            "Measure embedding this file's texts (a JSON array of strings), and nothing else.",
            valueName: "file"))
    var embed: String?

    @Option(
        help: ArgumentHelp(
            "Write the vectors of --embed to this folder: exact.f32, fast.f32 and question.f32.",
            valueName: "dir"))
    var embedVectors: String?

    @Option(help: "Repeat each measurement this many times, after one warm-up.")
    var reps = 3

    @Option(
        help: ArgumentHelp(
            "Measure random 4-bit weights with the shape in this config.json instead of a model.",
            valueName: "config.json"))
    var random: String?

    @OptionGroup var lora: LoRAFlags
    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    enum TrainPrecision: String, ExpressibleByArgument, CaseIterable {
        case bf16, f32
    }

    struct Series: Encodable {
        let tokens: Int
        let tps: [Double]
        let median: Double
        /// The kernel that does most of the work; nil if operations are not counted.
        let kernel: String?
        /// The operations that each token needs at least; a multiply-add counts as two.
        let operationsPerToken: Double?

        init(
            tokens: Int, tps: [Double], kernel: String? = nil, multiplyAdds: Double? = nil
        ) {
            self.tokens = tokens
            self.tps = tps
            self.kernel = kernel
            operationsPerToken = multiplyAdds.map { 2 * $0 / Double(tokens) }
            let sorted = tps.sorted()
            let middle = sorted.count / 2
            median =
                sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        }
    }

    struct Result: Encodable {
        let isa: String
        let threads: Int
        let model: String
        let loadSeconds: Double
        let depth: Int
        let prefill: Series?
        let decode: Series?
        let train: Series?
        let lookup: LookupSeries?
        let chats: ChatSeries?
        let peakRssBytes: Int
    }

    func validate() throws {
        if chatBatch < 1 { throw ValidationError("--chat-batch must be at least 1") }
        if reps < 1 { throw ValidationError("--reps must be at least 1") }
        if prefill < 0 || decode < 0 || depth < 0 {
            throw ValidationError("--prefill, --decode and --depth must not be negative")
        }
        if let search, search < 1 { throw ValidationError("--search must be at least 1") }
        if searchFolder != nil && search == nil {
            throw ValidationError("--search-folder needs --search")
        }
        if embedVectors != nil && embed == nil {
            throw ValidationError("--embed-vectors needs --embed")
        }
        _ = try trainShape()
    }

    /// Rows and tokens of `--train`.
    private func trainShape() throws -> (rows: Int, tokens: Int)? {
        guard let train else { return nil }
        let parts = train.split(separator: "x").map { Int($0) }
        guard parts.count == 2, let rows = parts[0], let tokens = parts[1], rows > 0, tokens > 1
        else { throw ValidationError("--train “\(train)” is not BxT; write it as 4x128") }
        return (rows, tokens)
    }

    func run() throws {
        if let search { return try runSearch(exchanges: search) }
        if let embed { return try runEmbedding(texts: embed) }
        let console = output.console
        let start = Date()
        let (loaded, temporary) = try load()
        defer { if let temporary { try? FileManager.default.removeItem(at: temporary) } }
        let loadSeconds = Date().timeIntervalSince(start)
        let limit = loaded.model.configuration.vocabularySize
        let base = AdaptedModel(loaded.model, adapter: nil)
        let prefillSeries = prefill > 0 ? measurePrefill(base, vocabulary: limit) : nil
        let decodeSeries = decode > 0 ? measureDecode(base, vocabulary: limit) : nil
        let trainSeries = try trainShape().map {
            try measureTraining(loaded.model, rows: $0.rows, tokens: $0.tokens, vocabulary: limit)
        }
        let lookupSeries = try lookup.map { try measureLookup(loaded, questions: $0) }
        let chats = try trainChats.map { try measureChats(loaded, log: $0) }
        let result = Result(
            isa: KernelRuntime.isa, threads: KernelRuntime.threads, model: loaded.name,
            loadSeconds: loadSeconds, depth: depth, prefill: prefillSeries, decode: decodeSeries,
            train: trainSeries, lookup: lookupSeries, chats: chats,
            peakRssBytes: ResidentMemory.peak)
        if output.json { return try console.json(result) }
        console.result("\(result.model), \(result.isa), \(result.threads) threads")
        for (name, series) in [
            ("prefill", prefillSeries), ("decode", decodeSeries), ("train", trainSeries),
        ] {
            guard let series else { continue }
            console.result(
                name.padding(toLength: 8, withPad: " ", startingAt: 0)
                    + String(format: "%5d tokens  %8.1f tokens/s", series.tokens, series.median))
        }
        for line in lookupSeries?.lines ?? [] { console.result(line) }
        if let chats {
            console.result(
                String(
                    format:
                        "chats: %d tokens, packed %.1f tokens/s, padded %.1f, ratio %.2f (%.0f%% "
                        + "padding)", chats.packed.tokens, chats.packed.median,
                    chats.padded.median, chats.ratio, 100 * chats.paddingShare))
        }
        console.result(String(format: "peak memory %.0f MB", Double(result.peakRssBytes) / 1e6))
    }

    private func load() throws -> (LoadedModel, temporary: URL?) {
        guard let random else { return (try model.loadModel(), nil) }
        try KernelRuntime.configure(threads: model.threads)
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("circadia-bench-\(UUID().uuidString)")
        try RandomModel.write(
            configuration: JSONValue(contentsOf: URL(fileURLWithPath: random)), to: folder)
        let directory = try ModelDirectory(folder)
        return (
            LoadedModel(
                name: "random weights of \(random)", directory: directory,
                model: try LlamaModel(directory: directory)), folder
        )
    }

    private func tokens(_ count: Int, vocabulary: Int) -> [Int32] {
        (0..<count).map { Int32((100 + $0 % 1000) % vocabulary) }
    }

    /// Runs `body` once to warm up, then `reps` times; returns the speeds in tokens a second.
    func series(
        tokens: Int, kernel: String? = nil, multiplyAdds: Double? = nil, _ body: () throws -> Void
    ) rethrows -> Series {
        try body()
        var speeds: [Double] = []
        let clock = ContinuousClock()
        for _ in 0..<reps {
            let duration = try clock.measure(body)
            let seconds =
                Double(duration.components.seconds) + Double(duration.components.attoseconds)
                * 1e-18
            speeds.append(Double(tokens) / seconds)
        }
        return Series(tokens: tokens, tps: speeds, kernel: kernel, multiplyAdds: multiplyAdds)
    }

    private func measurePrefill(_ model: AdaptedModel, vocabulary: Int) -> Series {
        let prompt = tokens(prefill, vocabulary: vocabulary)
        let cache = model.makeCache(capacity: prefill)
        return series(
            tokens: prefill, kernel: Self.kernel(.int8),
            multiplyAdds: Arithmetic(model.configuration).prefill(tokens: prefill)
        ) {
            cache.truncate(to: 0)
            model.forward(prompt, cache: cache, logits: .last)
        }
    }

    private func measureDecode(_ model: AdaptedModel, vocabulary: Int) -> Series {
        let cache = model.makeCache(capacity: depth + decode + 1)
        model.forward(tokens(depth + 1, vocabulary: vocabulary), cache: cache, logits: .none)
        let next = tokens(decode, vocabulary: vocabulary)
        return series(tokens: decode) {
            cache.truncate(to: depth + 1)
            for token in next.dropLast() { model.forward([token], cache: cache, logits: .last) }
            cache.truncate(to: depth)
            model.forward([next[decode - 1]], cache: cache, logits: .last)
        }
    }

    private func measureTraining(
        _ model: LlamaModel, rows: Int, tokens count: Int, vocabulary: Int
    ) throws -> Series {
        var options = TrainingOptions()
        options.maxSequenceLength = max(count, 16)
        options.rank = lora.loraR
        options.scale = Double(lora.scale)
        options.layers = lora.loraLayers ?? options.layers
        options.keys = lora.keys
        options.kind = lora.dora ? .dora : .lora
        options.precision = trainPrecision == .f32 ? .exact : .bf16
        // Larger batches are split as in a night: one row of 1024 tokens stays whole, four rows of
        // 512 tokens run one by one.
        let trainer = try LoRATrainer(model: model, options: options)
        let batch = (0..<rows).map { row in
            TrainingRow(
                id: "\(row)",
                ids: (0..<count).map { Int32(($0 * 31 + row * 17) % vocabulary) },
                scored: [1..<count])
        }
        return try series(
            tokens: rows * count, kernel: Self.kernel(options.precision),
            multiplyAdds: Arithmetic(model.configuration).training(
                rows: rows, tokens: count, adaptedBlocks: trainer.adapter.adaptedLayers.count,
                parameters: trainer.adapter.parameterCount)
        ) { _ = try trainer.step(rows: batch) }
    }
}
