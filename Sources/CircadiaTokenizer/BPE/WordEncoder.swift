/// Encodes the words of one text with a memory of earlier words.
///
/// The memory stores the place of a word in the text and of its tokens in the result. So nothing is
/// copied and nothing outlives the call. A new word overwrites the slot that it hashes to.
struct WordEncoder {
    private struct Memory {
        var hash: UInt64 = 0
        var start = 0
        var count: Int32 = -1
        var tokenCount: Int32 = 0
        var firstToken = 0
    }

    private static let slotCount = 1 << 13
    /// For a shorter text, in bytes, the memory costs more than it saves.
    private static let smallestTextWithMemory = 4096
    private static let longestRememberedWord = 64

    private let text: UnsafeBufferPointer<UInt8>
    private let tokenOfByte: UnsafeBufferPointer<Int32>
    private var merger: WordMerger
    private let vocabulary: VocabularyTable.UnsafeTables?
    private var memory: [Memory]

    /// `vocabulary` is given if a word that is a whole token needs no merges.
    init(
        text: UnsafeBufferPointer<UInt8>, tokenOfByte: UnsafeBufferPointer<Int32>,
        merger: WordMerger, vocabulary: VocabularyTable.UnsafeTables?
    ) {
        self.text = text
        self.tokenOfByte = tokenOfByte
        self.merger = merger
        self.vocabulary = vocabulary
        let slots = text.count >= Self.smallestTextWithMemory ? Self.slotCount : 0
        memory = [Memory](repeating: Memory(), count: slots)
    }

    /// Appends the tokens of the word at `range` of the text.
    @inline(__always)
    mutating func append(_ range: Range<Int>, to ids: inout [Int32]) {
        if range.count == 1 {
            let token = tokenOfByte[Int(text[range.lowerBound])]
            if token >= 0 { ids.append(token) }
            return
        }
        let word = UnsafeBufferPointer(rebasing: text[range])
        guard !memory.isEmpty, range.count <= Self.longestRememberedWord else {
            encode(word, to: &ids)
            return
        }
        let hash = byteHash(word)
        let slot = Int(truncatingIfNeeded: hash) & (Self.slotCount - 1)
        let known = memory[slot]
        if known.hash == hash, Int(known.count) == range.count,
            areEqual(text, at: known.start, text, at: range.lowerBound, count: range.count)
        {
            for i in known.firstToken..<known.firstToken + Int(known.tokenCount) {
                ids.append(ids[i])
            }
            return
        }
        let firstToken = ids.count
        encode(word, to: &ids)
        memory[slot] = Memory(
            hash: hash, start: range.lowerBound, count: Int32(range.count),
            tokenCount: Int32(ids.count - firstToken), firstToken: firstToken)
    }

    @inline(never)
    private mutating func encode(_ word: UnsafeBufferPointer<UInt8>, to ids: inout [Int32]) {
        if let vocabulary, let token = vocabulary.id(of: word) {
            ids.append(token)
        } else {
            merger.append(word, tokenOfByte: tokenOfByte, to: &ids)
        }
    }
}
