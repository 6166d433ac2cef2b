import CircadiaAdapters
import CircadiaFormats
import CircadiaNight
import Foundation

/// Notices when a night replaces the adapter that a chat started with.
struct AdapterWatch {
    /// Distinguishes a file from a later one with the same name.
    private struct Identity: Equatable {
        let device: UInt64
        let number: UInt64
        let changed: Int
    }

    /// A new adapter.
    struct News: Equatable {
        /// Its version; nil if its manifest has none.
        let version: Int?
    }

    private let directory: URL?
    private var seen: Identity?

    /// Remembers the adapter that is about to be loaded; nil watches nothing.
    init(_ directory: URL?) {
        self.directory = directory
        seen = directory.flatMap(Self.identity)
    }

    /// The adapter that appeared since the last call; nil if none did.
    mutating func news() -> News? {
        guard let directory, let now = Self.identity(of: directory), now != seen else { return nil }
        seen = now
        return News(version: NightManifest.read(adapter: directory)?.version)
    }

    private static func identity(of directory: URL) -> Identity? {
        guard AdapterDirectory.isPresent(at: directory) else { return nil }
        var status = stat()
        let file = directory.appendingPathComponent(AdapterDirectory.weightsName)
        guard stat(file.path, &status) == 0 else { return nil }
        #if os(Linux)
            let changed = status.st_mtim.tv_sec
        #else
            let changed = status.st_mtimespec.tv_sec
        #endif
        return Identity(
            device: UInt64(truncatingIfNeeded: status.st_dev), number: UInt64(status.st_ino),
            changed: changed)
    }
}
