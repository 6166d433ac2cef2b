import CircadiaConversation
import CircadiaRetrieval
import Foundation

/// An embedder that counts hashed words, so that texts that share words are near. It records the
/// texts that it embedded.
package final class WordEmbedder: TextEmbedding, @unchecked Sendable {
    /// The length of its vectors.
    package let dimension: Int
    /// Its name as a store records it.
    package let identifier: String
    private let lock = NSLock()
    private var texts: [String] = []

    /// Creates an embedder that has seen no text.
    package init(dimension: Int = 64, identifier: String = "words") {
        self.dimension = dimension
        self.identifier = identifier
    }

    /// Every text that it embedded, in order.
    package var embedded: [String] { lock.withLock { texts } }

    /// One vector of length 1 for each text.
    package func embed(_ texts: [String]) throws -> [[Float]] {
        lock.withLock { self.texts += texts }
        return texts.map { text in
            var vector = [Float](repeating: 0, count: dimension)
            for word in text.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
                let hash = word.utf8.reduce(UInt64(5381)) { ($0 &* 33) ^ UInt64($1) }
                vector[Int(hash % UInt64(dimension))] += 1
            }
            let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return length == 0 ? vector : vector.map { $0 / length }
        }
    }
}

/// An exchange of one question and one reply, `day` days after an evening in May 2023.
package func exchange(
    _ id: String, _ user: String, _ assistant: String = "I see.", day: Int? = nil,
    session: String? = "s", tags: [String] = []
) -> Exchange {
    Exchange(
        id: id,
        timestamp: day.map { Date(timeIntervalSince1970: 1_683_504_000 + Double($0) * 86_400) },
        session: session,
        messages: [
            ChatMessage(role: .user, content: user),
            ChatMessage(role: .assistant, content: assistant),
        ], tags: tags)
}
