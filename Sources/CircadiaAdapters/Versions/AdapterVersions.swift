import CircadiaAdapters
import CircadiaConversation
import CircadiaFiles
import CircadiaFormats
import Foundation

/// The adapters that nights have left: `versions/<number>` beside the adapter in use, each whole, with
/// what trained it (`NightManifest`), and the list of all nights, `nights.jsonl`.
///
/// The adapter in use is a copy of one of them, so that no version ever changes. The caller of what
/// changes something holds the `SleepLock`.
package struct AdapterVersions: Sendable {
    /// A version that is kept.
    package struct Version: Sendable {
        /// What is known of its night.
        package let manifest: NightManifest
        /// The adapter's folder.
        package let url: URL
        /// Whether it was trained on something that was forgotten since.
        package let isStale: Bool

        /// Its number.
        package var number: Int { manifest.version }
        /// What people call it: `0012`.
        package var name: String { AdapterVersions.name(of: number) }
    }

    /// The folder that holds the versions.
    package static let folderName = "versions"

    /// The folder that holds the adapters, such as `adapters`.
    package let root: URL
    /// The adapter in use.
    package let adapterDirectory: URL

    /// The versions beside the adapter at `adapterDirectory`.
    package init(beside adapterDirectory: URL) {
        self.adapterDirectory = adapterDirectory
        root = adapterDirectory.deletingLastPathComponent()
    }

    private var folder: URL {
        root.appendingPathComponent(Self.folderName, isDirectory: true)
    }

    /// The list of all nights.
    package var logURL: URL { root.appendingPathComponent("nights.jsonl") }

    /// A version's name by its number.
    package static func name(of number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// Makes the folder that holds the versions, for its owner only.
    package func makeFolder() {
        // Where this fails, writing into it says why.
        try? FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    /// The folder of a version, which need not be there.
    package func url(of number: Int) -> URL {
        folder.appendingPathComponent(Self.name(of: number), isDirectory: true)
    }

    // MARK: Reading

    /// Every kept version, by number.
    package var all: [Version] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.compactMap { name -> Version? in
            guard let number = Self.number(name) else { return nil }
            let url = folder.appendingPathComponent(name, isDirectory: true)
            guard AdapterDirectory.isPresent(at: url) else { return nil }
            var manifest =
                NightManifest.read(adapter: url)
                ?? NightManifest(version: number, adapter: adapterDirectory.lastPathComponent)
            manifest.version = number
            return Version(
                manifest: manifest, url: url,
                isStale: TrainingManifest.read(adapter: url)?.isStale == true)
        }.sorted { $0.number < $1.number }
    }

    /// The kept version of a number.
    package func version(_ number: Int) -> Version? { all.first { $0.number == number } }

    /// The number in `12` or `0012`; nil where `text` is none.
    package static func number(_ text: String) -> Int? {
        guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int(text)
    }

    /// Every night that was judged, in order; torn lines are passed over.
    package var nights: [NightManifest] {
        ((try? Data(contentsOf: logURL)) ?? Data()).split(separator: UInt8(ascii: "\n"))
            .compactMap { NightManifest.parse(line: Data($0)) }
    }

    /// The version in use; nil where there is no adapter, or one that no version was made of.
    package var numberInUse: Int? {
        AdapterDirectory.isPresent(at: adapterDirectory)
            ? NightManifest.read(adapter: adapterDirectory)?.version : nil
    }

    /// The versions in use by any adapter of the folder.
    private var allInUse: Set<Int> {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return Set(
            names.compactMap {
                NightManifest.read(adapter: root.appendingPathComponent($0, isDirectory: true))?
                    .version
            })
    }

    /// The versions that a version went on from, the nearest first, kept or not.
    package func ancestors(of number: Int) -> [Int] {
        var parents: [Int: Int] = [:]
        for manifest in nights + all.map(\.manifest) {
            parents[manifest.version] = manifest.parent
        }
        var found: [Int] = []
        var next = parents[number]
        while let parent = next, parent != number, !found.contains(parent) {
            found.append(parent)
            next = parents[parent]
        }
        return found
    }

    /// The number of the next night: numbers are never used again.
    package func nextNumber() -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let used = names.compactMap(Self.number) + nights.map(\.version) + allInUse
        return (used.max() ?? 0) + 1
    }

    // MARK: Changing

    /// Keeps the adapter in use as a version, where none was made of it yet: one that was imported, or
    /// that is older than versions are. One that is stale is not kept.
    ///
    /// - Returns: its number; nil where there is no adapter, or a stale one that was not kept before.
    /// - Throws: `FormatError`.
    @discardableResult
    package func adopt() throws -> Int? {
        guard AdapterDirectory.isPresent(at: adapterDirectory) else { return nil }
        let known = NightManifest.read(adapter: adapterDirectory)
        if let known, AdapterDirectory.isPresent(at: url(of: known.version)) {
            return known.version
        }
        if TrainingManifest.read(adapter: adapterDirectory)?.isStale == true {
            return known?.version
        }
        let number = known?.version ?? nextNumber()
        if known == nil {
            let manifest = NightManifest(
                version: number, adapter: adapterDirectory.lastPathComponent)
            try DurableFile.replace(
                adapterDirectory.appendingPathComponent(NightManifest.fileName),
                with: try bytes(of: manifest))
        }
        makeFolder()
        try AdapterDirectory.copy(adapterDirectory, to: url(of: number))
        return number
    }

    /// Puts a version in the place of the adapter in use, in one atomic step.
    ///
    /// - Throws: `FormatError`; the adapter in use is as it was then.
    package func use(_ number: Int) throws {
        try AdapterDirectory.copy(url(of: number), to: adapterDirectory)
    }

    /// Takes the adapter in use away: the base model is left.
    ///
    /// - Throws: `FormatError`.
    package func useBase() throws {
        try AdapterDirectory.remove(adapterDirectory)
    }

    /// Removes versions that are not in use, the oldest first.
    ///
    /// - Parameter count: how many of all versions stay at most, those in use included.
    /// - Returns: what was removed.
    /// - Throws: `FormatError`.
    package func prune(keeping count: Int) throws -> [Version] {
        let (versions, inUse) = (all, allInUse)
        let others = versions.filter { !inUse.contains($0.number) }
        let spared = max(0, count - (versions.count - others.count))
        return try remove(others.dropLast(spared))
    }

    /// Removes versions that were trained on something that was forgotten since. The adapter in use
    /// stays until the next night.
    ///
    /// - Parameter hashes: exchanges for which none is removed: the mark on these can be taken back.
    /// - Returns: what was removed.
    /// - Throws: `FormatError`.
    package func removeStale(
        keepingThoseOf hashes: Set<ContentHash> = []
    ) throws -> [Version] {
        let stale = all.filter { version in
            let forgotten = TrainingManifest.read(adapter: version.url)?.forgotten ?? []
            return forgotten.contains { !hashes.contains($0) }
        }
        return try remove(stale[...])
    }

    private func remove(_ versions: ArraySlice<Version>) throws -> [Version] {
        for version in versions { try AdapterDirectory.remove(version.url) }
        return Array(versions)
    }

    /// Appends a night to the list, once.
    package func log(_ manifest: NightManifest) throws {
        if nights.contains(where: { $0.version == manifest.version }) { return }
        try RecordJSON.append(manifest.entry, to: logURL)
    }

    /// `night.json` of a manifest.
    package func bytes(of manifest: NightManifest) throws -> [UInt8] {
        try RecordJSON.bytes(
            manifest, for: adapterDirectory.appendingPathComponent(NightManifest.fileName),
            pretty: true)
    }
}
