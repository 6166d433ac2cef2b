import CircadiaAdapters
import ArgumentParser
import CircadiaFormats
import CircadiaHub
import CircadiaModel
import CircadiaNight
import Foundation

/// `circadia adapter`: manages the versions of past nights; shows, exports and imports adapters.
struct AdapterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adapter",
        abstract:
            "List, compare, switch, export and import adapters and their versions.",
        subcommands: [
            List.self, Show.self, Diff.self, Use.self, Rollback.self, Prune.self, Export.self,
            Import.self,
        ])

    /// The model that an adapter belongs to. Only its shape is read.
    struct BaseModel: ParsableArguments {
        @Option(
            name: [.long, .customLong("model-id")],
            help: ArgumentHelp(
                "The model of the adapter: a name or an MLX directory.",
                valueName: "name|path"))
        var model = "smollm2-135m"

        func configuration() throws -> ModelConfiguration {
            try ModelConfiguration(directory: ModelStore.resolve(model))
        }
    }

    /// The place of a result.
    struct Target: ParsableArguments {
        @Option(help: ArgumentHelp("Write the result to this path.", valueName: "path"))
        var out: String

        @Flag(help: "Replace an existing file or folder at --out.")
        var force = false

        /// The place.
        ///
        /// - Throws: `CommandFailure` if something is there and `--force` was not given.
        func url(isDirectory: Bool) throws -> URL {
            let url = URL(fileURLWithPath: out, isDirectory: isDirectory)
            var foundDirectory: ObjCBool = false
            let exists = FileManager.default.fileExists(
                atPath: url.path, isDirectory: &foundDirectory)
            if !exists { return url }
            if foundDirectory.boolValue != isDirectory {
                throw CommandFailure(
                    "\(out): this is a \(isDirectory ? "file" : "folder"), but the result is a "
                        + "\(isDirectory ? "folder" : "file"); name another place with --out")
            }
            let isEmptyFolder =
                isDirectory
                && (try? FileManager.default.contentsOfDirectory(atPath: url.path))?.isEmpty == true
            if force || isEmptyFolder { return url }
            throw CommandFailure(
                "\(out): this already exists; name another place with --out, or replace it with "
                    + "--force")
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show an adapter's kind, shape, norms and origin.")
        @Argument(
            help: ArgumentHelp(
                "A version's number, an adapter's folder (mlx_lm, PEFT) or GGUF file.",
                valueName: "version|path"))
        var path: String?
        @OptionGroup var place: VersionsPlace
        @OptionGroup var base: BaseModel
        @OptionGroup var output: OutputOptions

        func run() throws {
            let url = try place.adapter(path ?? place.adapterDir)
            let format = try AdapterFormat.detect(at: url)
            // MLX's format is complete; the others do not record the number of blocks.
            let (configuration, tensors) =
                try format == .mlx
                ? AdapterDirectory.load(url)
                : AdapterFormat.read(url, for: base.configuration())
            let summary = AdapterSummary(
                format: format, configuration: configuration, tensors: tensors)
            if output.json { return try output.console.json(summary) }
            output.console.result(Self.text(summary))
            if let night = NightManifest.read(adapter: url) {
                let name = AdapterVersions.name(of: night.version)
                output.console.result("\nversion \(name): \(night.verdict)")
            }
        }

        /// The summary for people, with one line for each module over all blocks.
        static func text(_ summary: AdapterSummary) -> String {
            var lines = [
                "format      \(summary.format), \(summary.kind)",
                "rank        \(summary.rank)",
                String(format: "scale       %g (alpha %g)", summary.scale, summary.alpha),
                "layers      \(ranges(summary.layers))",
                "parameters  \(summary.parameters)",
                String(format: "norm        %.4g added to the weights", summary.normDelta),
                "trained by  \(summary.trainedBy.isEmpty ? "unknown" : summary.trainedBy)",
                "",
                "module                 blocks       |A|       |B|   |scale·AB|",
            ]
            for key in summary.keys {
                let modules = summary.modules.filter { $0.key == key }
                func norm(_ path: KeyPath<AdapterSummary.Module, Double>) -> Double {
                    modules.reduce(0) { $0 + $1[keyPath: path] * $1[keyPath: path] }.squareRoot()
                }
                lines.append(
                    key.padding(toLength: 20, withPad: " ", startingAt: 0)
                        + String(
                            format: "%9d %9.4g %9.4g %12.4g", modules.count, norm(\.normA),
                            norm(\.normB), norm(\.normDelta)))
            }
            return lines.joined(separator: "\n")
        }

        /// Writes consecutive numbers as ranges, such as `14-29`.
        static func ranges(_ numbers: [Int]) -> String {
            var ranges: [ClosedRange<Int>] = []
            for number in numbers {
                if let last = ranges.last, last.upperBound + 1 == number {
                    ranges[ranges.count - 1] = last.lowerBound...number
                } else {
                    ranges.append(number...number)
                }
            }
            return ranges.map {
                $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
            }.joined(separator: ", ")
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write an adapter for another program, or a fused model.",
            discussion: """
                mlx: a folder for mlx_lm. peft: a folder for PeftModel.from_pretrained. gguf: a \
                file for llama.cpp's --lora. fused: an MLX folder of the whole model, with the adapter \
                added into f16 weights.
                """)

        enum Format: String, ExpressibleByArgument, CaseIterable {
            case mlx, peft, gguf, fused
        }

        @Argument(
            help: ArgumentHelp(
                "A version's number, an adapter's folder (mlx_lm, PEFT) or GGUF file.",
                valueName: "version|path"))
        var path: String?
        @OptionGroup var place: VersionsPlace
        @Option(help: "The format to write: mlx, peft, gguf or fused.") var format: Format
        @OptionGroup var target: Target
        @OptionGroup var base: BaseModel
        @OptionGroup var output: OutputOptions

        func run() throws {
            let console = output.console
            let url = try target.url(isDirectory: format != .gguf)
            let source = try place.adapter(path ?? place.adapterDir)
            let model = try base.configuration()
            let (configuration, tensors) = try AdapterFormat.read(source, for: model)
            switch format {
            case .mlx: try AdapterDirectory.save(configuration, tensors, for: model, to: url)
            case .peft:
                try PEFTAdapter.write(configuration, tensors, baseModel: base.model, to: url)
            case .gguf: try GGUFAdapter.write(configuration, tensors, for: model, to: url)
            case .fused: try fuse(configuration, tensors, to: url, console: console)
            }
            console.note("\(url.relativePath) was written")
            if output.json {
                try console.json(["format": format.rawValue, "path": url.path])
            }
        }

        private func fuse(
            _ configuration: AdapterConfiguration, _ tensors: [String: AdapterTensor],
            to url: URL, console: Console
        ) throws {
            let directory = try ModelDirectory(ModelStore.resolve(base.model))
            let adapter = LoRAAdapter(
                configuration: configuration, tensors: tensors, model: directory.configuration)
            try FusedModel.write(directory, adapter: adapter, to: url) { share in
                guard Console.errorIsTerminal else { return }
                console.progress(
                    "writing \(Int((share * 100).rounded()))%", isLast: share >= 1)
            }
        }
    }

    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Convert an adapter of mlx_lm, PEFT (safetensors) or llama.cpp (GGUF).")
        @Argument(
            help: ArgumentHelp("The adapter's folder or GGUF file.", valueName: "path"))
        var path: String
        @OptionGroup var target: Target
        @OptionGroup var base: BaseModel
        @OptionGroup var output: OutputOptions

        func run() throws {
            let console = output.console
            let url = try target.url(isDirectory: true)
            let source = URL(fileURLWithPath: path)
            let model = try base.configuration()
            let format = try AdapterFormat.detect(at: source)
            let (configuration, tensors) = try AdapterFormat.read(source, for: model)
            try AdapterDirectory.save(configuration, tensors, for: model, to: url)
            console.note(
                "\(url.relativePath) is ready: circadia chat --adapter-dir \(target.out)")
            if output.json {
                try console.json(["format": format.rawValue, "path": url.path])
            }
        }
    }
}
