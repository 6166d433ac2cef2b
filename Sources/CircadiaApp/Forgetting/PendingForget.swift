import CircadiaModel
import CircadiaRetrieval
import Foundation

/// Completes a killed `Forgetting` before a command reads the log.
package enum PendingForget {
    /// The outcome of completing it.
    package enum Outcome: Sendable, Equatable {
        /// There was nothing to complete.
        case none
        /// This number of exchanges was forgotten.
        case forgotten(Int)
        /// This number of exchanges was brought back.
        case broughtBack(Int)
        /// The log is complete; a Chroma collection is not, because its server does not answer.
        case waitsForServer(address: String)
        /// The log is complete; a Chroma collection is not, because its server refuses access.
        case waitsForAccess(address: String, status: Int)
    }

    /// Completes a killed command in the log and all stores.
    ///
    /// - Returns: `.none`, `.forgotten` or `.broughtBack`.
    /// - Throws: the same errors as `Forgetting.forget`.
    package static func complete(log: URL) throws -> Outcome {
        guard
            let count = try Forgetting.completePending(
                log: log, embedder: { try? SentenceEmbedder.installed() })
        else { return .none }
        return count < 0 ? .broughtBack(-count) : .forgotten(count)
    }

    /// Completes a killed command for a caller that only reads the log. The log is complete before
    /// any Chroma server is asked, so a server that does not answer is left for later.
    ///
    /// - Returns: the outcome, including the server that has to wait.
    /// - Throws: the same errors as `Forgetting.forget`, except those of a server that cannot be
    ///   reached or refuses access.
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
