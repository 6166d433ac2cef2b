import CircadiaModel
import CircadiaRetrieval
import Foundation

/// Completes what a killed `Forgetting` left, for everything that reads the log.
package enum PendingForget {
    /// What became of it.
    package enum Outcome: Sendable, Equatable {
        /// Nothing was left.
        case none
        /// So many exchanges were forgotten.
        case forgotten(Int)
        /// So many exchanges were brought back.
        case broughtBack(Int)
        /// The log is in order; a collection of a server waits until the server answers.
        case waitsForServer(address: String)
        /// The log is in order; a collection of a server waits until the server lets it in.
        case waitsForAccess(address: String, status: Int)
    }

    /// Completes it, collections of servers too.
    ///
    /// - Returns: `.none`, `.forgotten` or `.broughtBack`.
    /// - Throws: as `Forgetting.forget`.
    package static func complete(log: URL) throws -> Outcome {
        guard
            let count = try Forgetting.completePending(
                log: log, embedder: { try? SentenceEmbedder.installed() })
        else { return .none }
        return count < 0 ? .broughtBack(-count) : .forgotten(count)
    }

    /// Completes it for a reader that only needs the log, which is in order before any collection is
    /// asked: a server that does not answer has its turn later.
    ///
    /// - Throws: as `Forgetting.forget`, but not for a server that cannot be reached or refuses.
    package static func completeLog(_ log: URL) throws -> Outcome {
        do {
            return try complete(log: log)
        } catch RetrievalError.chromaUnreachable(let address, _) {
            return .waitsForServer(address: address)
        } catch RetrievalError.chromaRefused(let address, let status, _) {
            return .waitsForAccess(address: address, status: status)
        }
    }
}
