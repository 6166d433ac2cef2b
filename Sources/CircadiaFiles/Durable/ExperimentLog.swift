import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Appends records to `logs/experiments.jsonl` and keeps `logs/eval_summary.json`.
package enum ExperimentLog {
    /// Appends `record` as one line, whole and flushed to disk; makes the file (0600) where missing.
    package static func append(_ record: some Encodable, to url: URL) throws(FileError) {
        var line = try encode(record, for: url, pretty: false)
        line.append(UInt8(ascii: "\n"))
        try makeFolder(of: url)
        let descriptor = open(url.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .cannotWrite(path: url.path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        let sizeBefore = fstat(descriptor, &status) == 0 ? status.st_size : -1
        if sizeBefore > 0, !endsInNewline(url) {
            // What a machine that stopped has left of a line must not spoil this one.
            line.insert(UInt8(ascii: "\n"), at: 0)
        }
        let written = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard written == line.count, fsync(descriptor) == 0 else {
            let code = written >= 0 && written < line.count ? ENOSPC : errno
            // Half a line would spoil the record that comes next.
            if written > 0, sizeBefore >= 0 { ftruncate(descriptor, sizeBefore) }
            throw .cannotWrite(path: url.path, reason: String(cString: strerror(code)))
        }
    }

    private static func endsInNewline(_ url: URL) -> Bool {
        guard let file = try? FileHandle(forReadingFrom: url) else { return true }
        defer { try? file.close() }
        guard let end = try? file.seekToEnd(), end > 0, (try? file.seek(toOffset: end - 1)) != nil
        else { return true }
        return (try? file.read(upToCount: 1)) == Data([UInt8(ascii: "\n")])
    }

    /// Replaces the file at `url` by `record`, atomically.
    package static func replace(_ record: some Encodable, at url: URL) throws(FileError) {
        let data = try encode(record, for: url, pretty: true)
        try makeFolder(of: url)
        do {
            try data.write(to: url, options: .atomic)
        } catch {
            throw .cannotWrite(path: url.path, reason: "check the folder and the disk's space")
        }
    }

    private static func makeFolder(of url: URL) throws(FileError) {
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw .cannotWrite(path: url.path, reason: "the folder cannot be made")
        }
    }

    package static func encode(
        _ record: some Encodable, for url: URL, pretty: Bool
    ) throws(FileError) -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        // A night that went astray has such numbers, and is to be written down all the same.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        do {
            return try encoder.encode(record)
        } catch {
            throw .cannotWrite(path: url.path, reason: "it cannot be put into JSON")
        }
    }
}
