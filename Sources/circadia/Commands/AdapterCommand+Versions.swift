import ArgumentParser
import CircadiaAdapters
import CircadiaConversation
import CircadiaFormats
import CircadiaNight
import Foundation

extension AdapterCommand {
    /// The adapter whose versions a command uses.
    struct VersionsPlace: ParsableArguments {
        @Option(
            help: ArgumentHelp(
                "The folder of the adapter in use. Its versions are in versions/ next to it.",
                valueName: "dir"))
        var adapterDir = "adapters/nightly_update"

        var url: URL { URL(fileURLWithPath: adapterDir, isDirectory: true) }
        var versions: AdapterVersions { AdapterVersions(beside: url) }

        /// The kept version with the number in `text`.
        ///
        /// - Throws: `CommandFailure` if `text` is not a number or no such version is kept.
        func version(_ text: String) throws -> AdapterVersions.Version {
            guard let number = AdapterVersions.number(text) else {
                throw CommandFailure(
                    "“\(text)” is not a version's number; 'circadia adapter list' shows them")
            }
            guard let version = versions.version(number) else {
                throw CommandFailure(
                    "version \(AdapterVersions.name(of: number)) is not kept; 'circadia adapter "
                        + "list' shows those that are")
            }
            return version
        }

        /// An adapter by its path or, if there is no such path, by a version's number.
        func adapter(_ text: String) throws -> URL {
            if FileManager.default.fileExists(atPath: text) || AdapterVersions.number(text) == nil {
                return URL(fileURLWithPath: text)
            }
            return try version(text).url
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the versions of past nights, newest last.")
        @OptionGroup var place: VersionsPlace
        @OptionGroup var output: OutputOptions

        /// A version in the JSON output.
        struct Row: Encodable {
            let version: Int
            let path: String
            let inUse: Bool
            let stale: Bool
            let bytes: Int
            let night: NightManifest
        }

        func run() throws {
            let versions = place.versions
            let inUse = versions.numberInUse
            let rows = versions.all.map { version in
                var night = version.manifest
                night.trained = nil
                night.heldOut = nil
                return Row(
                    version: version.number, path: version.url.relativePath,
                    inUse: version.number == inUse, stale: version.isStale,
                    bytes: Self.bytes(in: version.url), night: night)
            }
            if output.json { return try output.console.json(rows) }
            if rows.isEmpty {
                return output.console.note("no versions yet: every promoted night adds one")
            }
            output.console.result("  version  from  night                 exchanges  verdict")
            for row in rows { output.console.result(Self.line(row)) }
        }

        static func line(_ row: Row) -> String {
            let night = row.night
            func padded(_ text: String, _ width: Int) -> String {
                text.padding(toLength: width, withPad: " ", startingAt: 0)
            }
            return (row.inUse ? "* " : "  ")
                + padded(AdapterVersions.name(of: row.version), 9)
                + padded(night.parent.map(AdapterVersions.name) ?? "base", 6)
                + padded(night.started?.formatted(.iso8601) ?? "unknown", 22)
                + padded(night.exchangesTrained.map(String.init) ?? "", 11) + night.verdict
                + (row.stale ? " [stale: trained on exchanges that were forgotten since]" : "")
        }

        private static func bytes(in folder: URL) -> Int {
            let files =
                (try? FileManager.default.contentsOfDirectory(
                    at: folder, includingPropertiesForKeys: [.fileSizeKey])) ?? []
            return files.reduce(0) {
                $0 + ((try? $1.resourceValues(forKeys: [.fileSizeKey]))?.fileSize ?? 0)
            }
        }
    }

    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare two adapters: weights, recipes and trained exchanges.")
        @Argument(
            help: ArgumentHelp(
                "The first adapter: a version's number or a folder.", valueName: "from"))
        var first: String
        @Argument(
            help: ArgumentHelp("The second adapter. (default: the adapter in use)", valueName: "to")
        )
        var second: String?
        @OptionGroup var place: VersionsPlace
        @OptionGroup var output: OutputOptions

        /// A flag with different values in two nights.
        struct Setting: Encodable {
            let flag: String
            let from: String?
            let to: String?
        }

        struct Report: Encodable {
            let weights: AdapterDifference
            let recipe: [Setting]
            /// Exchanges that only one of them was trained on, in its night or before; null if a
            /// manifest is missing.
            @NullWhenNil var exchangesOnlyFrom: Int?
            @NullWhenNil var exchangesOnlyTo: Int?
        }

        func run() throws {
            let urls = try [first, second ?? place.adapterDir].map(place.adapter)
            let adapters = try urls.map { try AdapterDirectory.load($0) }
            let recipes = urls.map { NightManifest.read(adapter: $0)?.recipe ?? [:] }
            let trained = urls.map { url in
                TrainingManifest.read(adapter: url).map { Set($0.trained) }
            }
            let report = Report(
                weights: AdapterDifference(from: adapters[0], to: adapters[1]),
                recipe: Set(recipes[0].keys).union(recipes[1].keys).sorted()
                    .filter { recipes[0][$0] != recipes[1][$0] }
                    .map { Setting(flag: $0, from: recipes[0][$0], to: recipes[1][$0]) },
                exchangesOnlyFrom: Self.onlyFirst(trained[0], trained[1]),
                exchangesOnlyTo: Self.onlyFirst(trained[1], trained[0]))
            if output.json { return try output.console.json(report) }
            output.console.result(Self.text(report))
        }

        private static func onlyFirst(
            _ first: Set<ContentHash>?, _ second: Set<ContentHash>?
        ) -> Int? {
            guard let first, let second else { return nil }
            return first.subtracting(second).count
        }

        static func text(_ report: Report) -> String {
            let weights = report.weights
            var lines = [
                String(
                    format: "weights     norm %.4g → %.4g, difference %.4g, cosine %.4f",
                    weights.normFrom, weights.normTo, weights.normDifference, weights.cosine)
            ]
            if let from = report.exchangesOnlyFrom, let to = report.exchangesOnlyTo {
                lines.append("exchanges   \(from) only in the first, \(to) only in the second")
            }
            for setting in report.recipe {
                lines.append(
                    "recipe      \(setting.flag): \(setting.from ?? "unknown") → "
                        + "\(setting.to ?? "unknown")")
            }
            lines += ["", "module                    from        to  difference"]
            for module in weights.modules {
                lines.append(
                    module.key.padding(toLength: 20, withPad: " ", startingAt: 0)
                        + String(
                            format: "%10.4g%10.4g%12.4g", module.normFrom, module.normTo,
                            module.normDifference))
            }
            return lines.joined(separator: "\n")
        }
    }

    /// The JSON output of `use` and `rollback`.
    struct Change: Encodable {
        @NullWhenNil var from: Int?
        @NullWhenNil var to: Int?
        let adapter: String
    }

    struct Use: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a version in use.",
            discussion: "The change is atomic. Exit code 2: the version is stale.")
        @Argument(help: ArgumentHelp("The version's number.", valueName: "version"))
        var version: String
        @OptionGroup var place: VersionsPlace
        @OptionGroup var output: OutputOptions

        func run() throws {
            let console = output.console
            let lock = try NightLock.take(for: place.url, console: console)
            defer { withExtendedLifetime(lock) {} }
            let wanted = try place.version(version)
            if wanted.isStale {
                console.warn(
                    "version \(wanted.name) was trained on exchanges that were forgotten since; choose "
                        + "another, or bring them back with 'circadia forget --undo'")
                throw ExitCode(2)
            }
            let before = try place.versions.adopt()
            try place.versions.use(wanted.number)
            if output.json {
                return try console.json(
                    Change(from: before, to: wanted.number, adapter: place.adapterDir))
            }
            console.result("\(place.adapterDir) is version \(wanted.name) now")
        }
    }

    struct Rollback: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Go back to the version from which the adapter in use was trained.",
            discussion:
                "Skips versions that are gone or stale. Before the first version comes the base "
                + "model. Exit code 2: there is no adapter in use.")
        @OptionGroup var place: VersionsPlace
        @OptionGroup var output: OutputOptions

        func run() throws {
            let console = output.console
            let versions = place.versions
            guard AdapterDirectory.isPresent(at: place.url) else {
                console.warn(
                    "\(place.adapterDir): there is no adapter to go back from; this is the base model"
                )
                throw ExitCode(2)
            }
            let lock = try NightLock.take(for: place.url, console: console)
            defer { withExtendedLifetime(lock) {} }
            let before = try versions.adopt()
            let earlier = before.map(versions.ancestors) ?? []
            let kept = earlier.lazy.compactMap(versions.version).first { !$0.isStale }
            if let kept {
                try versions.use(kept.number)
            } else {
                try versions.useBase()
            }
            if output.json {
                return try console.json(
                    Change(from: before, to: kept?.number, adapter: place.adapterDir))
            }
            console.result(
                kept.map { "\(place.adapterDir) is version \($0.name) now" }
                    ?? "\(place.adapterDir) is gone: this is the base model again")
            if let before, versions.version(before) != nil {
                console.note("'circadia adapter use \(before)' goes back to it")
            }
        }
    }

    struct Prune: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove old versions, but never the one in use.")
        @Option(help: "Keep this many of the newest versions.")
        var keep = 10
        @Flag(help: "Remove only the stale versions, all of them.")
        var stale = false
        @OptionGroup var place: VersionsPlace
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if keep < 0 { throw ValidationError("--keep must not be negative") }
        }

        func run() throws {
            let console = output.console
            let lock = try NightLock.take(for: place.url, console: console)
            defer { withExtendedLifetime(lock) {} }
            let removed =
                stale ? try place.versions.removeStale() : try place.versions.prune(keeping: keep)
            if output.json { return try console.json(["removed": removed.map(\.number)]) }
            console.result(
                removed.isEmpty
                    ? "nothing to remove"
                    : "removed: " + removed.map(\.name).joined(separator: ", "))
        }
    }
}
