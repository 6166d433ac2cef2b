import CircadiaFiles
import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Downloads a file over HTTP so that an interruption costs only what had not arrived.
///
/// Bytes stream into `<file>.part`; `<file>.part.json` remembers what they are part of. A later
/// attempt asks for the rest, provided that the server says the file is still the same (ETag or
/// Last-Modified); otherwise it starts again. The file appears under its name whole or not at all.
package struct DatasetDownloader: Sendable {
    /// What a download did.
    package struct Report: Sendable, Hashable {
        /// Bytes of the whole file.
        package let byteCount: Int64
        /// Bytes that an earlier attempt had already brought.
        package let resumedFrom: Int64
        /// The file's SHA-256, 64 hexadecimal digits.
        package let sha256: String
    }

    /// Seconds without a byte after which the connection counts as failed.
    package var timeoutSeconds: Double

    /// A downloader that gives a silent server so many seconds.
    package init(timeoutSeconds: Double = 60) { self.timeoutSeconds = timeoutSeconds }

    /// Brings the file at `address` to `file`.
    ///
    /// - Parameters:
    ///   - address: an http or https address.
    ///   - file: where it goes; what is there is replaced at the end.
    ///   - progress: called with bytes so far and, where known, bytes in all; false stops, keeping
    ///     what has arrived.
    /// - Returns: size and checksum.
    /// - Throws: `addressInvalid`, `serverRefused`, `connectionFailed`, `downloadTruncated`,
    ///   `folderNotMade`, `unwritable`.
    @discardableResult
    package func download(
        _ address: String, to file: URL,
        progress: @escaping @Sendable (_ received: Int64, _ total: Int64?) -> Bool = { _, _ in true
        }
    ) throws -> Report {
        guard let url = URL(string: address), ["http", "https"].contains(url.scheme?.lowercased()),
            url.host != nil
        else { throw DownloadError.addressInvalid(address: address) }
        try Folder.create(file.deletingLastPathComponent())
        let partial = PartialDownload(file: file)
        var resumeFrom = partial.resumableBytes(address: address)
        var transfer = try fetch(url, address, partial, from: resumeFrom, progress)
        if transfer.status == 416 {
            // What we have does not fit the file that is there now.
            partial.discard()
            resumeFrom = 0
            transfer = try fetch(url, address, partial, from: 0, progress)
        }
        guard (200...299).contains(transfer.status) else {
            throw DownloadError.serverRefused(address: address, status: transfer.status)
        }
        let sha256 = try ContentDigest.hexadecimal(ofFile: partial.data)
        try DurableFile.move(partial.data, to: file)
        unlink(partial.notes.path)
        return Report(
            byteCount: transfer.received, resumedFrom: transfer.resumedFrom, sha256: sha256)
    }

    private func fetch(
        _ url: URL, _ address: String, _ partial: PartialDownload, from start: Int64,
        _ progress: @escaping @Sendable (Int64, Int64?) -> Bool
    ) throws -> HTTPTransfer.Outcome {
        var request = URLRequest(
            url: url, cachePolicy: .reloadIgnoringLocalCacheData, timeoutInterval: timeoutSeconds)
        // Compressed in transit, sizes and ranges would not be those of the file.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        request.setValue("circadia", forHTTPHeaderField: "User-Agent")
        if start > 0, let validator = partial.readNotes()?.validator {
            request.setValue("bytes=\(start)-", forHTTPHeaderField: "Range")
            request.setValue(validator, forHTTPHeaderField: "If-Range")
        }
        let transfer = HTTPTransfer(
            address: address, partial: partial, start: start, progress: progress)
        let outcome = transfer.run(request)
        if let failure = outcome.failure { throw failure }
        if (200...299).contains(outcome.status), let detail = outcome.connectionDetail {
            if let total = outcome.total, outcome.received < total, !outcome.stopped {
                throw DownloadError.downloadTruncated(
                    address: address, expected: total, received: outcome.received,
                    partial: partial.data.path)
            }
            throw DownloadError.connectionFailed(
                address: address, detail: detail, partial: partial.data.path)
        }
        if let detail = outcome.connectionDetail {
            throw DownloadError.connectionFailed(
                address: address, detail: detail, partial: partial.data.path)
        }
        if (200...299).contains(outcome.status), let total = outcome.total,
            outcome.received != total
        {
            throw DownloadError.downloadTruncated(
                address: address, expected: total, received: outcome.received,
                partial: partial.data.path)
        }
        return outcome
    }
}

/// The bytes of an unfinished download and what they are part of.
struct PartialDownload: Sendable {
    /// What the server said about the file.
    struct Notes: Codable {
        var address: String
        var etag: String?
        var lastModified: String?
        var byteCount: Int64?

        /// What proves that the file has not changed. A weak ETag proves too little.
        var validator: String? {
            if let etag, !etag.hasPrefix("W/") { return etag }
            return lastModified
        }
    }

    let data: URL
    let notes: URL

    init(file: URL) {
        let folder = file.deletingLastPathComponent()
        data = folder.appendingPathComponent(file.lastPathComponent + ".part")
        notes = folder.appendingPathComponent(file.lastPathComponent + ".part.json")
    }

    /// How many bytes of `address` are there and can be built on.
    func resumableBytes(address: String) -> Int64 {
        guard let notes = readNotes(), notes.address == address, notes.validator != nil,
            let size = try? OpenFile(data, flags: O_RDONLY, failure: .read).size(), size > 0
        else { return 0 }
        if let byteCount = notes.byteCount, Int64(size) >= byteCount { return 0 }
        return Int64(size)
    }

    func readNotes() -> Notes? {
        guard let bytes = try? Data(contentsOf: notes) else { return nil }
        return try? JSONDecoder().decode(Notes.self, from: bytes)
    }

    func write(_ value: Notes) {
        // Without notes the next attempt starts again: no reason to fail this one.
        guard let bytes = try? JSONEncoder().encode(value) else { return }
        try? DurableFile.replace(notes, with: [UInt8](bytes))
    }

    func discard() {
        unlink(data.path)
        unlink(notes.path)
    }
}
