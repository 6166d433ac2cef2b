import CircadiaConversation
import Foundation

/// The requests that a store makes of one collection.
struct ChromaCollection {
    /// What a server says of a collection.
    struct Description: Decodable {
        let id: String
        let metadata: Marks?
    }

    /// What tells that a circadia made the collection, and with which embedder.
    struct Marks: Codable {
        static let currentFormat = 1
        var format: Int?
        var embedder: String?

        enum CodingKeys: String, CodingKey {
            case format = "circadia_format"
            case embedder = "circadia_embedder"
        }
    }

    /// Records as `get` gives them; nil for what was not asked for.
    struct Records: Decodable {
        let ids: [String]
        let embeddings: [[Float]]?
        let documents: [String?]?
        let metadatas: [Known]?

        /// What another program may have put there says nothing to this one.
        struct Known: Decodable {
            let metadata: ChromaMetadata?
            init(from decoder: any Decoder) { metadata = try? ChromaMetadata(from: decoder) }
        }

        /// The exchanges of the heads among them that are as they were written.
        var heads: [(exchange: Exchange, head: ChromaMetadata.Head)] {
            zip(metadatas ?? [], documents ?? []).compactMap { known, document in
                guard let metadata = known.metadata, let head = metadata.head,
                    let exchange = ChromaRecord.exchange(metadata, document: document)
                else { return nil }
                return (exchange, head)
            }
        }
    }

    /// A condition on metadata: one key, compared with a value.
    struct Condition: Encodable {
        let key: String
        let comparison: Comparison

        enum Comparison {
            case above(Int64)
            case oneOf([String])
        }

        private struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(_ text: String) { stringValue = text }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Name.self)
            var operation = container.nestedContainer(keyedBy: Name.self, forKey: Name(key))
            switch comparison {
            case .above(let value): try operation.encode(value, forKey: Name("$gt"))
            case .oneOf(let values): try operation.encode(values, forKey: Name("$in"))
            }
        }

        static func exchange(in ids: [String]) -> Condition {
            Condition(key: "exchange", comparison: .oneOf(ids))
        }
    }

    /// One record near a vector.
    typealias Near = (id: ChromaRecordID, cosine: Float)

    let connection: ChromaConnection
    let id: String
    /// Records that the server takes in one request.
    let maxBatchSize: Int

    private var path: String { "\(connection.address.databasePath)/collections/\(id)" }

    // MARK: The collection itself

    /// Records that a server takes in one request.
    static func maxBatchSize(_ connection: ChromaConnection) throws -> Int {
        struct Checks: Decodable { let max_batch_size: Int }
        let checks: Checks = try connection.send(.get, "/api/v2/pre-flight-checks")
        return max(1, checks.max_batch_size)
    }

    /// The collection that an address names; nil where there is none.
    static func find(_ connection: ChromaConnection) throws -> Description? {
        let address = connection.address
        let name = ChromaAddress.escaped(address.collection)
        do throws {
            return try connection.send(.get, "\(address.databasePath)/collections/\(name)")
        } catch RetrievalError.chromaRefused(_, _, let kind) where Self.meansMissing(kind) {
            return nil
        }
    }

    /// Whether a refusal says that a collection is not there; servers before 1.0 had another word.
    static func meansMissing(_ kind: String?) -> Bool {
        kind == "NotFoundError" || kind == "InvalidCollection"
            || kind == "InvalidCollectionException"
    }

    /// Makes the collection, or finds the one that another program made meanwhile.
    static func make(
        _ connection: ChromaConnection, embedder: String
    ) throws -> Description {
        struct Wish: Encodable {
            let name: String
            let get_or_create = true
            let metadata: Marks
            let configuration = ["hnsw": Graph()]
        }
        // More links than usual: the graph then misses few of the nearest.
        struct Graph: Encodable {
            let space = "cosine"
            let ef_construction = 200
            let ef_search = 200
            let max_neighbors = 32
        }
        let address = connection.address
        return try connection.send(
            .post, "\(address.databasePath)/collections",
            Wish(
                name: address.collection,
                metadata: Marks(format: Marks.currentFormat, embedder: embedder)))
    }

    /// Removes the collection with all that is in it.
    static func remove(_ connection: ChromaConnection) throws {
        let address = connection.address
        let name = ChromaAddress.escaped(address.collection)
        do throws {
            let _: ChromaAcknowledgement = try connection.send(
                .delete, "\(address.databasePath)/collections/\(name)")
        } catch RetrievalError.chromaRefused(_, _, let kind) where Self.meansMissing(kind) {
            return
        }
    }

    // MARK: Reading

    func count() throws -> Int { try connection.send(.get, "\(path)/count") }

    /// Records with these ids, or that fit the condition, or all.
    func get(
        ids: [String]? = nil, where condition: Condition? = nil, include: [String] = []
    ) throws -> Records {
        struct Wish: Encodable {
            let ids: [String]?
            let `where`: Condition?
            let include: [String]
        }
        return try connection.send(
            .post, "\(path)/get", Wish(ids: ids, where: condition, include: include))
    }

    /// The records nearest to a vector of length 1, nearest first, of all or of those that fit.
    func nearest(
        to vector: [Float], count: Int, where condition: Condition? = nil
    ) throws -> [Near] {
        struct Wish: Encodable {
            let query_embeddings: [[Float]]
            let n_results: Int
            let `where`: Condition?
            let include = ["distances"]
        }
        struct Answer: Decodable {
            let ids: [[String]]
            let distances: [[Float]]
        }
        let answer: Answer = try connection.send(
            .post, "\(path)/query",
            Wish(query_embeddings: [vector], n_results: count, where: condition))
        guard let ids = answer.ids.first, let distances = answer.distances.first else { return [] }
        return zip(ids, distances).compactMap { id, distance in
            ChromaRecordID(id).map { ($0, 1 - distance) }
        }
    }

    // MARK: Writing

    /// Bytes of one request, about: servers refuse larger ones than 40 MB.
    private static let requestBytes = 12_000_000

    /// Writes records, in their order, in requests that the server takes.
    func upsert(_ records: [ChromaRecord]) throws {
        var start = 0
        while start < records.count {
            var end = start
            var bytes = 0
            repeat {
                bytes +=
                    12 * records[end].vector.count + 2 * (records[end].document ?? "").utf8.count
                end += 1
            } while end < records.count && end - start < maxBatchSize
                && bytes < Self.requestBytes
            try upsert(batch: records[start..<end])
            start = end
        }
    }

    private func upsert(batch: ArraySlice<ChromaRecord>) throws {
        struct Wish: Encodable {
            let ids: [String]
            let embeddings: [[Float]]
            let documents: [String?]
            let metadatas: [ChromaMetadata]
        }
        let _: ChromaAcknowledgement = try connection.send(
            .post, "\(path)/upsert",
            Wish(
                ids: batch.map(\.id.text), embeddings: batch.map(\.vector),
                documents: batch.map(\.document), metadatas: batch.map(\.metadata)))
    }

    /// Changes the tags of an exchange's head, and nothing else of it.
    func update(tags: [String], of head: String, edited: Int64) throws {
        struct Change: Encodable {
            let tags: String
            let edited: Int64
        }
        struct Wish: Encodable {
            let ids: [String]
            let metadatas: [Change]
        }
        let _: ChromaAcknowledgement = try connection.send(
            .post, "\(path)/update",
            Wish(ids: [head], metadatas: [Change(tags: ChromaRecord.json(tags), edited: edited)]))
    }

    /// Deletes records by id, or those that fit the condition.
    func delete(ids: [String]? = nil, where condition: Condition? = nil) throws {
        struct Wish: Encodable {
            let ids: [String]?
            let `where`: Condition?
        }
        let _: ChromaAcknowledgement = try connection.send(
            .post, "\(path)/delete", Wish(ids: ids, where: condition))
    }
}
