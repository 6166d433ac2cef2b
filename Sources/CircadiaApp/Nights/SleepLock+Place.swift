import CircadiaAdapters
import CircadiaNight
import Foundation

extension SleepLock {
    /// Takes the lock of a night that will change an adapter.
    ///
    /// Taking the lock also proves, before any training, that an adapter can be written there.
    ///
    /// - Parameter adapterDirectory: the adapter's folder; it need not exist.
    /// - Returns: the lock. It is released when the value is destroyed.
    /// - Throws: `NightPlaceError` if no adapter can be written there; `SleepError.alreadySleeping`
    ///   if another night holds the lock; `SleepError.lockUnavailable` if the lock's file cannot be
    ///   made.
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
