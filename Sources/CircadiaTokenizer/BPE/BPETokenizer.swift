import Foundation

/// Whether control tokens are recognised in the text to encode.
package enum SpecialTokens: Sendable {
    /// `<|im_end|>` in the text becomes that token, as in Hugging Face's
    /// `encode(add_special_tokens=False)`.
    case parse
    /// `<|im_end|>` in the text stays ordinary text: for text that people wrote.
    case plain
}

/// A byte-level BPE tokenizer, read from Hugging Face's `tokenizer.json`.
///
/// It gives the same ids as the `tokenizers` library, without tokens added around the text. First
/// it cuts out added tokens, then it cuts the rest into words, then it merges the bytes of each
/// word. It is safe to share between threads.
package final class BPETokenizer: Sendable {
    private let vocabulary: VocabularyTable
    private let merges: MergeTable
    private let tokenOfByte: [Int32]
    private let ignoresMerges: Bool
    private let preTokenizer: PreTokenizer
    private let addedTokens: [String: AddedToken]
    private let addedFinder: AddedTokenFinder
    private let normalizedFinder: AddedTokenFinder
    private let specialIDs: Set<Int32>
    private let otherTokens: [String: Int32]

    /// Reads `tokenizer.json` in `directory`.
    ///
    /// Throws `TokenizerError` if the file is missing or broken, or uses a normalizer,
    /// pre-tokenizer or model that is not supported. The message names what was found.
    package convenience init(directory: URL) throws(TokenizerError) {
        try self.init(file: directory.appendingPathComponent("tokenizer.json"))
    }

    /// Reads a file in the format of `tokenizer.json`; throws like `init(directory:)`.
    package init(file url: URL) throws(TokenizerError) {
        let definition = try BPEDefinition(url)
        vocabulary = definition.vocabulary
        merges = definition.merges
        tokenOfByte = definition.tokenOfByte
        ignoresMerges = definition.ignoresMerges
        preTokenizer = definition.preTokenizer
        addedTokens = Dictionary(
            definition.addedTokens.map { ($0.content, $0) }, uniquingKeysWith: { $1 })
        addedFinder = AddedTokenFinder(definition.addedTokens.filter { !$0.isNormalized })
        normalizedFinder = AddedTokenFinder(definition.addedTokens.filter { $0.isNormalized })
        specialIDs = Set(definition.addedTokens.lazy.filter(\.isSpecial).map(\.id))
        otherTokens = definition.otherTokens
    }

    /// One more than the largest token id.
    package var vocabularySize: Int { vocabulary.count }

    /// The id of a token as `tokenizer.json` writes it (a space is `Ġ`); nil if there is none.
    package func id(of token: String) -> Int32? {
        if let added = addedTokens[token] { return added.id }
        var written = token
        let id = written.withUTF8 { text -> Int32? in
            var bytes: [UInt8] = []
            guard ByteAlphabet.appendBytes(of: text, to: &bytes) else { return nil }
            return bytes.withUnsafeBufferPointer { vocabulary.id(of: $0) }
        }
        return id ?? otherTokens[token]
    }

    /// Whether the id is a control token.
    package func isSpecial(_ id: Int32) -> Bool { specialIDs.contains(id) }

    // MARK: Decoding

    /// Decodes tokens. Invalid UTF-8 becomes U+FFFD. Ids without a token add nothing.
    package func decode(_ ids: [Int32], skippingSpecial: Bool = false) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(ids.count * 4)
        for id in ids where !(skippingSpecial && isSpecial(id)) { appendBytes(of: id, to: &bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Creates a decoder for tokens that arrive one by one.
    package func makeStreamDecoder(skippingSpecial: Bool = false) -> StreamDecoder {
        StreamDecoder(tokenizer: self, skippingSpecial: skippingSpecial)
    }

    func appendBytes(of id: Int32, to bytes: inout [UInt8]) {
        vocabulary.withBytes(of: id) { bytes.append(contentsOf: $0) }
    }

    // MARK: Encoding

    /// Encodes a text. No token is added before or after it.
    package func encode(_ text: String, special: SpecialTokens = .parse) -> [Int32] {
        var text = text
        return text.withUTF8 { encode($0, special: special) }
    }

    private func encode(
        _ text: UnsafeBufferPointer<UInt8>, special: SpecialTokens
    ) -> [Int32] {
        var ids: [Int32] = []
        ids.reserveCapacity(text.count / 3 + 8)
        let skips = special == .plain
        let outer = addedFinder.split(text, 0..<text.count, skippingSpecial: skips)
        merges.withUnsafeTable { merges in
            vocabulary.withUnsafeTables { vocabulary in
                tokenOfByte.withUnsafeBufferPointer { tokenOfByte in
                    var encoder = WordEncoder(
                        text: text, tokenOfByte: tokenOfByte, merger: WordMerger(table: merges),
                        vocabulary: ignoresMerges ? vocabulary : nil)
                    for piece in outer {
                        if let token = piece.token {
                            ids.append(token)
                            continue
                        }
                        let inner = normalizedFinder.split(
                            text, piece.range, skippingSpecial: skips)
                        for piece in inner {
                            if let token = piece.token {
                                ids.append(token)
                            } else {
                                preTokenizer.forEachWord(in: text, piece.range) {
                                    encoder.append($0, to: &ids)
                                }
                            }
                        }
                    }
                }
            }
        }
        return ids
    }
}
