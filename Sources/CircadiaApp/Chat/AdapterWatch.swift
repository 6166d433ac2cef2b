import CircadiaAdapters
import CircadiaFormats
import CircadiaNight
import Foundation

/// Notices that a night has put another adapter in place of the one that a chat began with.
struct AdapterWatch {
    /// Tells a file from another one of the same name.
    private struct Identity: Equatable {
        let device: UInt64
        let number: UInt64
        let changed: Int
    }

    /// An adapter that came since.
    struct News: Equatable {
        /// Its version; nil if it does not say.
        let version: Int?
    }

    private let directory: URL?
    private var seen: Identity?

    /// Remembers the adapter of now, which is about to be loaded; nil has no news.
    init(_ directory: URL?) {
        self.directory = directory
        seen = directory.flatMap(Self.identity)
    }

    /// The adapter that came since, once for each; nil if none did.
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
