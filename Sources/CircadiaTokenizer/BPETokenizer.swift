import Foundation

/// How special tokens in a text are read.
public enum SpecialTokens: Sendable {
    /// As tokens, like Hugging Face's `encode(add_special_tokens=False)`.
    case parse
    /// As the characters they are written with.
    case plain
}

/// Byte-level BPE from a `tokenizer.json`, with the pre-tokenizers of SmolLM2 and Llama 3.
public final class BPETokenizer: Sendable {
    struct Added: Sendable {
        let bytes: [UInt8]
        let id: Int32
    }
    struct Pair: Hashable, Sendable {
        let left, right: Int32
    }
    struct Merge: Sendable {
        let rank, id: Int32
    }

    /// One more than the largest id.
    public let vocabularySize: Int
    private let ids: [String: Int32]
    private let bytesOfID: [[UInt8]]
    private let idOfByte: [Int32]
    private let idOfWord: [[UInt8]: Int32]
    private let merges: [Pair: Merge]
    private let added: [Added]
    private let specials: Set<Int32>
    private let preTokenizer: PreTokenizer
    private let ignoresMerges: Bool

    /// Reads `tokenizer.json` in `directory`.
    public init(directory: URL) throws(TokenizerError) {
        let url = directory.appendingPathComponent("tokenizer.json")
        let path = url.path
        guard let data = try? Data(contentsOf: url) else {
            throw .unreadable(path: path, reason: "it is missing or may not be read")
        }
        guard let json = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw .malformed(
                path: path, byte: data.count, expected: "a JSON object", found: "something else")
        }
        guard let model = json["model"] as? [String: Any] else {
            throw .missingField(path: path, field: "model")
        }
        guard let vocabulary = model["vocab"] as? [String: Int] else {
            throw .missingField(path: path, field: "model.vocab")
        }
        guard let mergeList = model["merges"] as? [Any] else {
            throw .missingField(path: path, field: "model.merges")
        }
        preTokenizer = try PreTokenizer(json["pre_tokenizer"], path: path)
        ignoresMerges = model["ignore_merges"] as? Bool ?? false

        var table = vocabulary.mapValues { Int32($0) }
        var added: [Added] = []
        var specials: Set<Int32> = []
        for case let entry as [String: Any] in json["added_tokens"] as? [Any] ?? [] {
            guard let content = entry["content"] as? String, let id = entry["id"] as? Int else {
                continue
            }
            table[content] = Int32(id)
            added.append(Added(bytes: Array(content.utf8), id: Int32(id)))
            if entry["special"] as? Bool ?? true { specials.insert(Int32(id)) }
        }
        ids = table
        self.specials = specials
        self.added = added.sorted { $0.bytes.count > $1.bytes.count }
        let count = Int((table.values.max() ?? -1) + 1)
        vocabularySize = count
        let addedIDs = Set(added.map(\.id))
        var bytes = [[UInt8]](repeating: [], count: count)
        var words: [[UInt8]: Int32] = [:]
        for (token, id) in table where id >= 0 {
            bytes[Int(id)] = addedIDs.contains(id) ? Array(token.utf8) : ByteLevel.bytes(of: token)
            if !addedIDs.contains(id) { words[bytes[Int(id)]] = id }
        }
        bytesOfID = bytes
        idOfWord = words
        idOfByte = (0..<256).map { words[[UInt8($0)]] ?? -1 }
        var merges: [Pair: Merge] = [:]
        merges.reserveCapacity(mergeList.count)
        for (index, entry) in mergeList.enumerated() {
            let parts =
                (entry as? String)?.split(separator: " ", maxSplits: 1).map(String.init)
                ?? entry as? [String] ?? []
            guard parts.count == 2, let left = table[parts[0]], let right = table[parts[1]],
                let id = table[parts[0] + parts[1]]
            else {
                throw .unknownMergeToken(
                    path: path, byte: 0, index: index, token: parts.joined(separator: " "))
            }
            merges[Pair(left: left, right: right)] = Merge(rank: Int32(index), id: id)
        }
        self.merges = merges
    }

    /// The id of a token as it is written, special or not.
    public func id(of token: String) -> Int32? { ids[token] }

    /// Whether `id` is a special token.
    public func isSpecial(_ id: Int32) -> Bool { specials.contains(id) }

    /// The ids of a text. Nothing is put before or after it.
    public func encode(_ text: String, special: SpecialTokens = .parse) -> [Int32] {
        var out: [Int32] = []
        let bytes = Array(text.utf8)
        guard special == .parse else {
            encodePlain(bytes[...], into: &out)
            return out
        }
        var start = 0
        var index = 0
        scan: while index < bytes.count {
            for token in added
            where token.bytes[0] == bytes[index] && bytes[index...].starts(with: token.bytes) {
                encodePlain(bytes[start..<index], into: &out)
                out.append(token.id)
                index += token.bytes.count
                start = index
                continue scan
            }
            index += 1
        }
        encodePlain(bytes[start...], into: &out)
        return out
    }

    private func encodePlain(_ bytes: ArraySlice<UInt8>, into out: inout [Int32]) {
        guard !bytes.isEmpty else { return }
        let scalars = Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)
        preTokenizer.split(scalars) { word in
            var text: [UInt8] = []
            for scalar in word { text += Array(String(scalar).utf8) }
            merge(text, into: &out)
        }
    }

    private func merge(_ word: [UInt8], into out: inout [Int32]) {
        if ignoresMerges, let id = idOfWord[word] {
            out.append(id)
            return
        }
        var parts = word.map { idOfByte[Int($0)] }
        while parts.count > 1 {
            var best: (rank: Int32, index: Int, id: Int32)?
            for index in 0..<parts.count - 1 {
                if let merge = merges[Pair(left: parts[index], right: parts[index + 1])],
                    merge.rank < best?.rank ?? .max
                {
                    best = (merge.rank, index, merge.id)
                }
            }
            guard let best else { break }
            parts[best.index] = best.id
            parts.remove(at: best.index + 1)
        }
        out += parts
    }

    /// The bytes that an id stands for.
    func bytes(of id: Int32) -> [UInt8] {
        bytesOfID.indices.contains(Int(id)) ? bytesOfID[Int(id)] : []
    }

    /// The text of ids; bytes that are no UTF-8 become U+FFFD.
    public func decode(_ ids: [Int32], skippingSpecial: Bool = false) -> String {
        var bytes: [UInt8] = []
        for id in ids where !(skippingSpecial && isSpecial(id)) { bytes += self.bytes(of: id) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A decoder that is fed one id at a time.
    public func makeStreamDecoder() -> StreamDecoder { StreamDecoder(self) }
}

/// Decodes ids as they come, never giving half a character.
public struct StreamDecoder: Sendable {
    private let tokenizer: BPETokenizer
    private var pending: [UInt8] = []

    init(_ tokenizer: BPETokenizer) { self.tokenizer = tokenizer }

    /// The text that is complete with this id; special tokens give none.
    public mutating func append(_ id: Int32) -> String {
        if !tokenizer.isSpecial(id) { pending += tokenizer.bytes(of: id) }
        var end = pending.count
        // At most three bytes can belong to a character that goes on.
        for back in 1...3 where back <= pending.count {
            let byte = pending[pending.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            if length > back { end = pending.count - back }
            break
        }
        let text = String(decoding: pending[..<end], as: UTF8.self)
        pending.removeSubrange(..<end)
        return text
    }

    /// What is left, however broken.
    public mutating func finish() -> String {
        defer { pending = [] }
        return String(decoding: pending, as: UTF8.self)
    }
}

/// GPT-2's printable alphabet for bytes.
enum ByteLevel {
    private static let scalarOfByte: [Unicode.Scalar] = {
        var next: UInt32 = 256
        return (0..<256).map { byte -> Unicode.Scalar in
            let isPrintable =
                (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
            defer { if !isPrintable { next += 1 } }
            return Unicode.Scalar(isPrintable ? UInt32(byte) : next) ?? "?"
        }
    }()
    private static let byteOfScalar = Dictionary(
        uniqueKeysWithValues: scalarOfByte.enumerated().map { ($1, UInt8($0)) })

    static func bytes(of token: String) -> [UInt8] {
        token.unicodeScalars.compactMap { byteOfScalar[$0] }
    }
}
