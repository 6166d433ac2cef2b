import CircadiaFiles
import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// One request whose body streams into a file.
///
/// `@unchecked Sendable`: URLSession calls the delegate on one serial queue, and `run` reads the outcome
/// after the last call.
final class HTTPTransfer: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    /// What became of it.
    struct Outcome {
        var status = 0
        var total: Int64?
        var received: Int64 = 0
        var resumedFrom: Int64 = 0
        var stopped = false
        /// Why the file could not be written.
        var failure: (any Error)?
        /// Why the connection failed.
        var connectionDetail: String?
    }

    private let address: String
    private let partial: PartialDownload
    private let start: Int64
    private let progress: @Sendable (Int64, Int64?) -> Bool
    private let finished = DispatchSemaphore(value: 0)
    private var file: OpenFile?
    private var outcome = Outcome()

    init(
        address: String, partial: PartialDownload, start: Int64,
        progress: @escaping @Sendable (Int64, Int64?) -> Bool
    ) {
        self.address = address
        self.partial = partial
        self.start = start
        self.progress = progress
    }

    /// Sends the request and returns when all is done.
    func run(_ request: URLRequest) -> Outcome {
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 1
        let configuration = URLSessionConfiguration.ephemeral
        let session = URLSession(configuration: configuration, delegate: self, delegateQueue: queue)
        session.dataTask(with: request).resume()
        finished.wait()
        session.finishTasksAndInvalidate()
        return outcome
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        guard let response = response as? HTTPURLResponse else {
            completionHandler(.cancel)
            return
        }
        outcome.status = response.statusCode
        guard (200...299).contains(response.statusCode) else {
            // The body of an error is no part of the file.
            completionHandler(.allow)
            return
        }
        do throws {
            try open(for: response)
            completionHandler(.allow)
        } catch {
            outcome.failure = error
            completionHandler(.cancel)
        }
    }

    /// Makes the file ready for the bytes that this answer brings.
    private func open(for response: HTTPURLResponse) throws {
        let file = try OpenFile(
            partial.data, flags: O_RDWR | O_APPEND | O_CREAT, failure: .write)
        let range = Self.contentRange(response.value(forHTTPHeaderField: "Content-Range"))
        if response.statusCode == 206, let range {
            guard range.start == start else {
                throw DownloadError.connectionFailed(
                    address: address, detail: "the server sent another part than was asked for",
                    partial: partial.data.path)
            }
            outcome.resumedFrom = start
            outcome.received = start
            outcome.total = range.total
        } else {
            try file.truncate(to: 0)
            let length = response.value(forHTTPHeaderField: "Content-Length").flatMap { Int64($0) }
            outcome.total = length
        }
        partial.write(
            PartialDownload.Notes(
                address: address, etag: response.value(forHTTPHeaderField: "ETag"),
                lastModified: response.value(forHTTPHeaderField: "Last-Modified"),
                byteCount: outcome.total))
        self.file = file
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        guard let file, outcome.failure == nil, !outcome.stopped else { return }
        do throws {
            try file.appendWhole([UInt8](data))
        } catch {
            outcome.failure = error
            dataTask.cancel()
            return
        }
        outcome.received += Int64(data.count)
        if !progress(outcome.received, outcome.total) {
            outcome.stopped = true
            dataTask.cancel()
        }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
    ) {
        if let file, outcome.failure == nil {
            do throws { try file.synchronize() } catch { outcome.failure = error }
        }
        file = nil
        if outcome.stopped {
            outcome.connectionDetail = "it was stopped"
        } else if let error {
            outcome.connectionDetail = error.localizedDescription
        }
        finished.signal()
    }

    /// `bytes 100-199/1000` → 100 and 1000.
    static func contentRange(_ header: String?) -> (start: Int64, total: Int64?)? {
        guard let header, header.hasPrefix("bytes ") else { return nil }
        let parts = header.dropFirst(6).split(separator: "/")
        guard parts.count == 2, let start = Int64(parts[0].prefix { $0.isNumber }) else {
            return nil
        }
        return (start, Int64(parts[1]))
    }
}
