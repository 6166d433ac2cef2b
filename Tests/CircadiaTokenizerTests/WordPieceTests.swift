import CircadiaTestSupport
import Testing

import CircadiaTokenizer

/// WordPiece on vocabularies made for one question each.
@Suite struct WordPieceTests {
    private func tokenizer(
        _ words: [String], normalizer: String = #"{"type":"BertNormalizer","strip_accents":null}"#
    ) throws -> WordPieceTokenizer {
        let vocabulary = (["[UNK]", "[CLS]", "[SEP]"] + words).enumerated().map { index, word in
            "\"\(word)\":\(index)"
        }
        let folder = try TemporaryFolder()
        try folder.write(
            "tokenizer.json",
            text: """
                {"normalizer":\(normalizer),"pre_tokenizer":{"type":"BertPreTokenizer"},
                "model":{"type":"WordPiece","vocab":{\(vocabulary.joined(separator: ","))}}}
                """)
        return try WordPieceTokenizer(directory: folder.url)
    }

    @Test func theLongestPieceWins() throws {
        let pieces = try tokenizer(["un", "una", "##aff", "##ff", "##able", "##b", "able"])
        #expect(pieces.encode("unaffable") == [1, 4, 6, 7, 2])
        #expect(pieces.encode("UNÁFFÀBLE able") == [1, 4, 6, 7, 9, 2])
        #expect(pieces.encode("unaffx able") == [1, 0, 9, 2])
    }

    @Test func marksThatStayAreOrderedByClass() throws {
        // Classes 224 and 9, which strip_accents leaves; an accent between them does not matter,
        // a mark without a class does.
        let pieces = try tokenizer(["a\u{1B44}\u{302E}", "a\u{302E}\u{1B44}"])
        #expect(pieces.encode("a\u{302E}\u{1B44} a\u{1B44}\u{302E}") == [1, 3, 3, 2])
        #expect(pieces.encode("a\u{302E}\u{301}\u{1B44}") == [1, 3, 2])
        #expect(pieces.encode("a\u{302E}\u{34F}\u{1B44}") == [1, 4, 2])
    }

    @Test func wordsOfMoreThanAHundredCharactersAreUnknown() throws {
        let pieces = try tokenizer(["é", "##é", "e", "##e"])
        #expect(pieces.encode(String(repeating: "é", count: 100)).count == 102)
        #expect(pieces.encode(String(repeating: "é", count: 101)) == [1, 0, 2])
    }

    @Test func otherNormalizersAreRefused() throws {
        #expect(throws: TokenizerError.self) {
            try tokenizer([], normalizer: #"{"type":"BertNormalizer","lowercase":false}"#)
        }
        #expect(throws: TokenizerError.self) { try tokenizer([], normalizer: #"{"type":"NFC"}"#) }
    }
}
