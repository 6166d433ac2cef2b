import Foundation

/// The WordPiece tokenizer of BERT's uncased models, read from Hugging Face's `tokenizer.json`.
///
/// It gives the same ids as the `tokenizers` library. It cleans and lower-cases the text and strips
/// accents. It splits each word from left to right into the longest pieces of the vocabulary;
/// pieces inside a word start with `##`. It is safe to share between threads.
package final class WordPieceTokenizer: Sendable {
    private let vocabulary: VocabularyTable
    private let addedFinder: AddedTokenFinder
    private let normalizer = BertNormalizer.shared
    private let classID: Int32
    private let separatorID: Int32
    private let unknownID: Int32
    private let continuation: [UInt8]
    private let maxWordScalars: Int

    /// Reads `tokenizer.json` in `directory`.
    ///
    /// Throws `TokenizerError` if the file is missing or broken, or is not the WordPiece of BERT's
    /// uncased models. The message names what was found.
    package convenience init(directory: URL) throws(TokenizerError) {
        try self.init(file: directory.appendingPathComponent("tokenizer.json"))
    }

    /// Reads a file in the format of `tokenizer.json`; throws like `init(directory:)`.
    package init(file url: URL) throws(TokenizerError) {
        let definition = try WordPieceDefinition(url)
        func required(_ token: String) throws(TokenizerError) -> Int32 {
            if let id = definition.id(of: token) { return id }
            throw .missingField(path: url.path, field: token)
        }
        vocabulary = definition.vocabulary
        addedFinder = AddedTokenFinder(definition.addedTokens)
        classID = try required("[CLS]")
        separatorID = try required("[SEP]")
        unknownID = try required(definition.unknownToken)
        continuation = Array(definition.continuation.utf8)
        maxWordScalars = definition.maxWordScalars
    }

    /// One more than the largest token id.
    package var vocabularySize: Int { vocabulary.count }

    /// Encodes a text between `[CLS]` and `[SEP]`, at most `maxTokens` tokens including these.
    package func encode(_ text: String, maxTokens: Int = 256) -> [Int32] {
        var text = text
        let limit = max(maxTokens, 2) - 1
        var ids = [classID]
        text.withUTF8 { text in
            let pieces = addedFinder.split(text, 0..<text.count, skippingSpecial: false)
            vocabulary.withUnsafeTables { vocabulary in
                var word: [UInt8] = []
                for piece in pieces where ids.count < limit {
                    if let token = piece.token {
                        ids.append(token)
                        continue
                    }
                    normalizer.forEachWord(in: text, piece.range) { letters in
                        append(letters, vocabulary, scratch: &word, to: &ids)
                        return ids.count < limit
                    }
                }
            }
        }
        if ids.count > limit { ids.removeSubrange(limit...) }
        ids.append(separatorID)
        return ids
    }

    /// Appends the pieces of one word, or the unknown token if the word is too long or the
    /// vocabulary lacks a piece.
    private func append(
        _ word: UnsafeBufferPointer<UInt8>, _ vocabulary: VocabularyTable.UnsafeTables,
        scratch: inout [UInt8], to ids: inout [Int32]
    ) {
        // This counts code points: the bytes that do not continue one.
        if word.count > maxWordScalars, word.count(where: { $0 & 0xC0 != 0x80 }) > maxWordScalars {
            ids.append(unknownID)
            return
        }
        let firstPiece = ids.count
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: continuation)
        scratch.append(contentsOf: word)
        let count = scratch.count
        let isWhole = scratch.withUnsafeMutableBufferPointer { scratch in
            var start = continuation.count
            var first = start
            while start < count {
                var end = count
                var found: Int32?
                while end > start {
                    found = vocabulary.id(of: UnsafeBufferPointer(rebasing: scratch[first..<end]))
                    if found != nil { break }
                    end = startOfScalar(UnsafeBufferPointer(scratch), before: end)
                }
                guard let found else { return false }
                ids.append(found)
                start = end
                // The prefix overwrites bytes that are already done, so the next piece is
                // contiguous.
                first = start - continuation.count
                for (offset, byte) in continuation.enumerated() { scratch[first + offset] = byte }
            }
            return true
        }
        if !isWhole {
            ids.removeSubrange(firstPiece...)
            ids.append(unknownID)
        }
    }
}
