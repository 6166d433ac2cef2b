import CircadiaAdapters
import CircadiaNight
import Foundation

extension SleepLock {
    /// Takes the lock of a night that is to change an adapter.
    ///
    /// Making the lock is also the proof that an adapter can be written there, before any time is
    /// spent on training.
    ///
    /// - Parameter adapterDirectory: the adapter's folder; it need not exist.
    /// - Returns: the lock, which is held as long as the value lives.
    /// - Throws: `NightPlaceError` if no adapter can be there; `SleepError.alreadySleeping` if another
    ///   night holds the lock; `.lockUnavailable`.
    package static func take(for adapterDirectory: URL) throws -> SleepLock {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: adapterDirectory.path, isDirectory: &isFolder),
            !isFolder.boolValue
        {
            throw NightPlaceError.isFile(path: adapterDirectory.relativePath)
        }
        let root = adapterDirectory.standardizedFileURL.deletingLastPathComponent()
        if root.lastPathComponent == AdapterVersions.folderName {
            throw NightPlaceError.isKeptVersion(
                path: adapterDirectory.relativePath,
                version: adapterDirectory.lastPathComponent)
        }
        return try SleepLock(guarding: adapterDirectory)
    }
}
