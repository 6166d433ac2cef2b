import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Requests to a Chroma server (HTTP API v2), with a token, patience and this module's errors.
///
/// Every request that is sent may be sent twice: records are upserted, updated and deleted by id.
/// So whatever a passing fault may mend is tried again. What a server says of an error is not
/// passed on, since it may quote what was said; only its kind is.
final class ChromaConnection: Sendable {
    enum Method: String { case get = "GET", post = "POST", delete = "DELETE" }

    let address: ChromaAddress
    private let token: String?
    private let transport = ChromaTransport()

    init(_ address: ChromaAddress, token: String?) {
        self.address = address
        self.token = token
    }

    deinit { transport.close() }

    /// Attempts of one request, and the pause after the first; each pause is twice the last.
    private static let attempts = 5
    private static let firstPauseSeconds = 0.2

    /// Sends a request without a body.
    func send<Answer: Decodable>(
        _ method: Method, _ path: String, as: Answer.Type = Answer.self
    ) throws -> Answer {
        try decode(answer(to: request(method, path, body: nil)))
    }

    /// Sends a request with a JSON body.
    func send<Answer: Decodable>(
        _ method: Method, _ path: String, _ body: some Encodable, as: Answer.Type = Answer.self
    ) throws -> Answer {
        let data: Data
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.withoutEscapingSlashes]
            data = try encoder.encode(body)
        } catch {
            // A vector that is not a number is the only thing that JSON cannot hold.
            throw RetrievalError.embeddingFailed(detail: "a component of a vector is not a number")
        }
        return try decode(answer(to: request(method, path, body: data)))
    }

    private func request(
        _ method: Method, _ path: String, body: Data?
    ) throws -> URLRequest {
        guard let url = URL(string: address.server + path) else {
            throw RetrievalError.chromaAddressInvalid(address: address.description)
        }
        var request = URLRequest(url: url)
        request.httpMethod = method.rawValue
        request.httpBody = body
        request.timeoutInterval = 120
        if body != nil {
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        request.setValue("application/json", forHTTPHeaderField: "Accept")
        if let token {
            // Chroma's servers are set up to read one of the two.
            request.setValue(token, forHTTPHeaderField: "X-Chroma-Token")
            request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        }
        return request
    }

    private func answer(to request: URLRequest) throws -> Data {
        var pause = Self.firstPauseSeconds
        for attempt in 1... {
            let isLast = attempt == Self.attempts
            let outcome = transport.run(request)
            switch outcome.status {
            case 200...299: return outcome.body
            case 0 where isLast:
                throw RetrievalError.chromaUnreachable(
                    address: address.server, detail: outcome.detail ?? "no answer")
            case 0, 429, 500...599:
                if isLast { throw refusal(outcome) }
            default: throw refusal(outcome)
            }
            Thread.sleep(forTimeInterval: pause)
            pause *= 2
        }
        preconditionFailure("the last attempt returns or throws")
    }

    private func refusal(_ outcome: ChromaTransport.Outcome) -> RetrievalError {
        struct Refusal: Decodable { let error: String }
        let kind = (try? JSONDecoder().decode(Refusal.self, from: outcome.body))?.error
        let isName = kind.map { !$0.isEmpty && $0.count < 60 && $0.allSatisfy(\.isLetter) } ?? false
        return .chromaRefused(
            address: address.description, status: outcome.status, kind: isName ? kind : nil)
    }

    private func decode<Answer: Decodable>(_ data: Data) throws -> Answer {
        do {
            return try JSONDecoder().decode(Answer.self, from: data)
        } catch {
            throw RetrievalError.chromaAnswerBroken(address: address.description)
        }
    }
}

/// An answer that says no more than that it was done.
struct ChromaAcknowledgement: Decodable {
    init(from decoder: any Decoder) {}
}

/// URLSession behind a call that waits. Redirections are refused: they would carry the token, and
/// what was said, to another place.
///
/// `@unchecked Sendable`: a lock guards all that changes.
final class ChromaTransport: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    struct Outcome {
        /// 0 where nobody answered.
        var status = 0
        var body = Data()
        /// Why nobody answered.
        var detail: String?
    }

    private struct Waiting {
        var outcome = Outcome()
        let finished = DispatchSemaphore(value: 0)
    }

    private let lock = NSLock()
    private var waiting: [Int: Waiting] = [:]
    private var session: URLSession?

    /// Sends a request and returns when it is answered, or cannot be.
    func run(_ request: URLRequest) -> Outcome {
        let task: URLSessionDataTask
        let finished: DispatchSemaphore
        lock.lock()
        let session = self.session ?? makeSession()
        self.session = session
        task = session.dataTask(with: request)
        let entry = Waiting()
        finished = entry.finished
        waiting[task.taskIdentifier] = entry
        lock.unlock()
        task.resume()
        finished.wait()
        return lock.withLock { waiting.removeValue(forKey: task.taskIdentifier)?.outcome }
            ?? Outcome()
    }

    func close() { lock.withLock { session?.invalidateAndCancel() } }

    private func makeSession() -> URLSession {
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 1
        return URLSession(configuration: .ephemeral, delegate: self, delegateQueue: queue)
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        lock.withLock { waiting[dataTask.taskIdentifier]?.outcome.body.append(data) }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
    ) {
        let finished = lock.withLock {
            let status = (task.response as? HTTPURLResponse)?.statusCode ?? 0
            // An answer that broke off is none.
            waiting[task.taskIdentifier]?.outcome.status = error == nil ? status : 0
            waiting[task.taskIdentifier]?.outcome.detail = error?.localizedDescription
            return waiting[task.taskIdentifier]?.finished
        }
        finished?.signal()
    }
}
