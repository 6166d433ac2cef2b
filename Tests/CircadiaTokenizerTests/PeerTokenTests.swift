import CircadiaTestSupport
import Foundation
import Testing

import CircadiaTokenizer

/// Every token of 1.5 MB of mixed text against Hugging Face `tokenizers`.
@Suite struct PeerTokenTests {
    private static let text: String = {
        var mixed = MixedText(seed: 2024)
        return mixed.text(byteCount: 1_500_000)
    }()

    /// The peer's ids, and its decoding of them backwards, special tokens skipped.
    private func peer(_ model: URL, _ mode: String) throws -> (ids: [Int32], decoded: String) {
        let python = try #require(TokenizerTestModels.peerPython)
        let folder = try TemporaryFolder()
        try folder.write("text", text: Self.text)
        let script = TokenizerTestModels.folder.appending(path: "Tools/peer_ids.py")
        let out = folder.url.appending(path: "ids")
        let status = try TokenizerTestModels.run(
            python,
            [
                script.path, model.appending(path: "tokenizer.json").path,
                folder.url.appending(path: "text").path, mode, out.path,
            ])
        try #require(status == 0)
        let ids = try Data(contentsOf: out).withUnsafeBytes { raw in
            raw.bindMemory(to: Int32.self).map { Int32(littleEndian: $0) }
        }
        let decoded = try Data(contentsOf: out.appendingPathExtension("txt"))
        return (ids, String(decoding: decoded, as: UTF8.self))
    }

    private func expectSame(_ ids: [Int32], _ expected: [Int32]) {
        #expect(ids.count == expected.count)
        let difference = zip(ids, expected).enumerated().first { $1.0 != $1.1 }
        #expect(difference == nil, "token \(difference?.offset ?? 0) differs")
    }

    private func compare(_ model: URL?, _ special: SpecialTokens, _ mode: String) throws {
        let model = try #require(model)
        let tokenizer = try BPETokenizer(directory: model)
        let expected = try peer(model, mode)
        let ids = tokenizer.encode(Self.text, special: special)
        expectSame(ids, expected.ids)
        // Backwards, so that characters are torn apart in every way.
        let decoded = tokenizer.decode(ids.reversed(), skippingSpecial: true)
        #expect(Array(decoded.utf8) == Array(expected.decoded.utf8))
    }

    @Test(
        .enabled(
            if: TokenizerTestModels.smolLM2 != nil && TokenizerTestModels.peerPython != nil,
            "smollm2-135m or the package tokenizers is missing"),
        arguments: [(SpecialTokens.parse, "parse"), (.plain, "plain")])
    func smolLM2(_ special: SpecialTokens, _ mode: String) throws {
        try compare(TokenizerTestModels.smolLM2, special, mode)
    }

    @Test(
        .enabled(
            if: TokenizerTestModels.llama3 != nil && TokenizerTestModels.peerPython != nil,
            "llama-3.2-tokenizer or the package tokenizers is missing"),
        arguments: [(SpecialTokens.parse, "parse"), (.plain, "plain")])
    func llama3(_ special: SpecialTokens, _ mode: String) throws {
        try compare(TokenizerTestModels.llama3, special, mode)
    }

    @Test(
        .enabled(
            if: TokenizerTestModels.miniLM != nil && TokenizerTestModels.peerPython != nil,
            "all-minilm-l6-v2 or the package tokenizers is missing"))
    func miniLM() throws {
        let model = try #require(TokenizerTestModels.miniLM)
        let tokenizer = try WordPieceTokenizer(directory: model)
        let expected = try peer(model, "wordpiece").ids
        expectSame(tokenizer.encode(Self.text, maxTokens: .max), expected)
    }
}
