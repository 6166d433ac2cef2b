import Foundation

/// Replaces a directory by a new one in one step.
///
/// The new directory is built beside the target and exchanged with it by one system call: Linux's
/// `renameat2(RENAME_EXCHANGE)`, macOS's `renamex_np(RENAME_SWAP)`. On file systems without either,
/// the old directory is moved aside first, and `recover` moves it back if the process was killed
/// between the two renames.
package enum DirectorySwap {
    /// What a directory that was moved aside is called, with the target's name behind it.
    package static let asidePrefix = ".circadia-old-"

    /// Builds a directory with `fill` and puts it in the place of `target`.
    ///
    /// Regular files of the old directory that `fill` does not write are taken over, but for those
    /// that `isObsolete` names: files that would contradict the new ones.
    package static func replace(
        _ target: URL, isObsolete: (String) -> Bool = { _ in false },
        fill: (URL) throws -> Void
    ) throws {
        // A link to a directory stays a link: what it points at is replaced.
        let target = target.resolvingSymlinksInPath()
        let parent = target.deletingLastPathComponent()
        try Folder.create(parent, mode: 0o755)
        recover(target)
        TemporaryItems.removeStrays(beside: target)
        let temporary = TemporaryItems.name(beside: target)
        guard mkdir(temporary.path, 0o700) == 0 else {
            throw FileError.unwritable(path: target.path, code: errno)
        }
        do {
            try fill(temporary)
            try takeOver(from: target, to: temporary, isObsolete: isObsolete)
            try Folder.synchronize(temporary)
            try put(temporary, inPlaceOf: target)
        } catch {
            try? FileManager.default.removeItem(at: temporary)
            throw error
        }
        // After an exchange the old directory has the temporary name.
        try? FileManager.default.removeItem(at: temporary)
        try Folder.synchronize(parent)
    }

    /// Moves a directory back that a killed process had moved aside.
    package static func recover(_ target: URL) {
        let aside = asideName(target)
        if !exists(target), exists(aside) { rename(aside.path, target.path) }
    }

    private static func asideName(_ target: URL) -> URL {
        target.deletingLastPathComponent().appendingPathComponent(
            asidePrefix + target.lastPathComponent)
    }

    private static func exists(_ url: URL) -> Bool {
        var status = stat()
        return lstat(url.path, &status) == 0
    }

    private static func takeOver(
        from old: URL, to new: URL, isObsolete: (String) -> Bool
    ) throws(FileError) {
        guard exists(old) else { return }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: old.path)
        } catch {
            throw .unwritable(path: old.path, code: SystemError.code(of: error))
        }
        for name in names.sorted()
        where !name.hasPrefix(TemporaryItems.prefix) && !isObsolete(name) {
            let source = old.appendingPathComponent(name)
            let target = new.appendingPathComponent(name)
            var status = stat()
            if exists(target) || lstat(source.path, &status) != 0 { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                throw .foreignFolder(path: old.path, name: name)
            }
            // A second name for the same file; a copy where the file system has no such links.
            if link(source.path, target.path) == 0 { continue }
            do {
                try FileManager.default.copyItem(at: source, to: target)
            } catch {
                throw .unwritable(path: target.path, code: SystemError.code(of: error))
            }
        }
    }

    private static func put(_ new: URL, inPlaceOf target: URL) throws(FileError) {
        if !exists(target) {
            guard rename(new.path, target.path) == 0 else {
                throw .unwritable(path: target.path, code: errno)
            }
            return
        }
        let code = exchange(new.path, target.path)
        if code == 0 { return }
        guard [EINVAL, ENOSYS, ENOTSUP].contains(code) else {
            throw .unwritable(path: target.path, code: code)
        }
        let aside = asideName(target)
        try? FileManager.default.removeItem(at: aside)
        guard rename(target.path, aside.path) == 0 else {
            throw .unwritable(path: target.path, code: errno)
        }
        guard rename(new.path, target.path) == 0 else {
            let code = errno
            rename(aside.path, target.path)
            throw .unwritable(path: target.path, code: code)
        }
        try? FileManager.default.removeItem(at: aside)
    }

    /// Exchanges two names in one step; 0, or the error number.
    private static func exchange(_ first: String, _ second: String) -> Int32 {
        #if os(Linux)
            // Looked up by name: the C library declares it only for GNU sources, and older or
            // smaller ones lack it.
            typealias Rename =
                @convention(c) (
                    Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32
                ) -> Int32
            guard let symbol = dlsym(nil, "renameat2") else { return ENOSYS }
            let exchangeFlag: UInt32 = 2
            let rename = unsafeBitCast(symbol, to: Rename.self)
            return rename(AT_FDCWD, first, AT_FDCWD, second, exchangeFlag) == 0 ? 0 : errno
        #else
            return renamex_np(first, second, UInt32(RENAME_SWAP)) == 0 ? 0 : errno
        #endif
    }
}
