import CircadiaAdapters
import CircadiaConversation
import CircadiaFiles
import CircadiaFormats
import Foundation

/// The versions that nights have made, and the list of all nights. Each version is a complete
/// adapter in `versions/<number>` next to the adapter in use, with a `NightManifest`. The list is
/// `nights.jsonl`.
///
/// The adapter in use is a copy of a version, so that versions never change. Callers of methods
/// that change files hold the `SleepLock`.
package struct AdapterVersions: Sendable {
    /// A kept version.
    package struct Version: Sendable {
        /// The manifest of its night.
        package let manifest: NightManifest
        /// The adapter's folder.
        package let url: URL
        /// Whether it was trained on exchanges that were forgotten since.
        package let isStale: Bool

        /// Its number.
        package var number: Int { manifest.version }
        /// Its name, such as `0012`.
        package var name: String { AdapterVersions.name(of: number) }
    }

    /// The folder that holds the versions.
    package static let folderName = "versions"

    /// The folder that holds the adapters, such as `adapters`.
    package let root: URL
    /// The adapter in use.
    package let adapterDirectory: URL

    /// The versions next to the adapter at `adapterDirectory`.
    package init(beside adapterDirectory: URL) {
        self.adapterDirectory = adapterDirectory
        root = adapterDirectory.deletingLastPathComponent()
    }

    private var folder: URL {
        root.appendingPathComponent(Self.folderName, isDirectory: true)
    }

    /// The list of all nights.
    package var logURL: URL { root.appendingPathComponent("nights.jsonl") }

    /// The name of a version: its number with at least four digits.
    package static func name(of number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// Creates the folder that holds the versions; only its owner can read it.
    package func makeFolder() {
        // If this fails, writing into the folder gives the error.
        try? FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    /// The folder of a version, which need not exist.
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

    /// The kept version with a number; nil if there is none.
    package func version(_ number: Int) -> Version? { all.first { $0.number == number } }

    /// The number in `12` or `0012`; nil if `text` is not a number.
    package static func number(_ text: String) -> Int? {
        guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int(text)
    }

    /// Every night of the list, in order; torn lines are skipped.
    package var nights: [NightManifest] {
        ((try? Data(contentsOf: logURL)) ?? Data()).split(separator: UInt8(ascii: "\n"))
            .compactMap { NightManifest.parse(line: Data($0)) }
    }

    /// The version in use; nil if there is no adapter, or if it is not a version.
    package var numberInUse: Int? {
        AdapterDirectory.isPresent(at: adapterDirectory)
            ? NightManifest.read(adapter: adapterDirectory)?.version : nil
    }

    /// The versions that any adapter of the folder uses.
    private var allInUse: Set<Int> {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return Set(
            names.compactMap {
                NightManifest.read(adapter: root.appendingPathComponent($0, isDirectory: true))?
                    .version
            })
    }

    /// The versions that a version continued from, the nearest first, including those no longer
    /// kept.
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

    /// The number of the next night. Numbers of judged nights are never used again.
    package func nextNumber() -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let used = names.compactMap(Self.number) + nights.map(\.version) + allInUse
        return (used.max() ?? 0) + 1
    }

    // MARK: Changing

    /// Keeps the adapter in use as a version if it is not one yet, for example because it was
    /// imported. A stale adapter is not kept.
    ///
    /// - Returns: its number; nil if there is no adapter, or a stale one that was never a version.
    /// - Throws: `FormatError` or `FileError` if it cannot be read or copied.
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

    /// Replaces the adapter in use by a version, in one atomic step.
    ///
    /// - Throws: `FormatError` or `FileError`; the adapter in use is then unchanged.
    package func use(_ number: Int) throws {
        try AdapterDirectory.copy(url(of: number), to: adapterDirectory)
    }

    /// Removes the adapter in use, so that the base model is used.
    ///
    /// - Throws: `FileError` if a folder cannot be removed.
    package func useBase() throws {
        try AdapterDirectory.remove(adapterDirectory)
    }

    /// Removes versions that are not in use, the oldest first.
    ///
    /// - Parameter count: the most versions to keep, including those in use.
    /// - Returns: the removed versions.
    /// - Throws: `FileError` if a folder cannot be removed.
    package func prune(keeping count: Int) throws -> [Version] {
        let (versions, inUse) = (all, allInUse)
        let others = versions.filter { !inUse.contains($0.number) }
        let spared = max(0, count - (versions.count - others.count))
        return try remove(others.dropLast(spared))
    }

    /// Removes versions that were trained on exchanges that were forgotten since. The adapter in
    /// use stays until the next night.
    ///
    /// - Parameter hashes: forgotten exchanges that may be remembered again; no version is removed
    ///   because of them.
    /// - Returns: the removed versions.
    /// - Throws: `FileError` if a folder cannot be removed.
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

    /// Appends a night to the list, unless it is there already.
    ///
    /// - Throws: `FileError` if the list cannot be written.
    package func log(_ manifest: NightManifest) throws {
        if nights.contains(where: { $0.version == manifest.version }) { return }
        try RecordJSON.append(manifest.entry, to: logURL)
    }

    /// The bytes of `night.json` for a manifest.
    ///
    /// - Throws: the error of the JSON encoder.
    package func bytes(of manifest: NightManifest) throws -> [UInt8] {
        try RecordJSON.bytes(
            manifest, for: adapterDirectory.appendingPathComponent(NightManifest.fileName),
            pretty: true)
    }
}
