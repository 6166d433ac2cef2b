import CircadiaTestSupport
import Foundation
import Testing

import CircadiaConversation
import CircadiaModel
import CircadiaTokenizer

/// Recorded ids and rendered chats of the peers; see Fixtures/README.md.
@Suite struct RecordedTests {
    private struct Chats: Decodable {
        struct Result: Decodable {
            var ids: [Int32]
            var prompt: [Int32]
            var scored: [[Int]]
        }
        var chats: [[ChatMessage]]
        var llama_template: String
        var smollm2_template: String
        var smollm2: [Result]
        var llama3: [Result]
    }

    private func fixture<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
        let url = TokenizerTestModels.folder.appending(path: "Fixtures/\(name).json")
        return try JSONDecoder().decode(type, from: Data(contentsOf: url))
    }

    private func expectRecorded(_ name: String, _ encode: (String) -> [Int32]) throws {
        let texts = try fixture("texts", as: [String].self)
        let expected = try fixture("ids-\(name)", as: [[Int32]].self)
        try #require(texts.count == expected.count && texts.count > 200)
        for (index, text) in texts.enumerated() {
            #expect(encode(text) == expected[index], "text \(index)")
        }
    }

    @Test(.enabled(if: TokenizerTestModels.smolLM2 != nil, "smollm2-135m is not installed"))
    func smolLM2Ids() throws {
        let tokenizer = try BPETokenizer(directory: #require(TokenizerTestModels.smolLM2))
        try expectRecorded("smollm2") { tokenizer.encode($0) }
    }

    @Test(.enabled(if: TokenizerTestModels.llama3 != nil, "llama-3.2-tokenizer is not installed"))
    func llama3Ids() throws {
        let tokenizer = try BPETokenizer(directory: #require(TokenizerTestModels.llama3))
        try expectRecorded("llama3") { tokenizer.encode($0) }
    }

    @Test(.enabled(if: TokenizerTestModels.miniLM != nil, "all-minilm-l6-v2 is not installed"))
    func miniLMIds() throws {
        let tokenizer = try WordPieceTokenizer(directory: #require(TokenizerTestModels.miniLM))
        try expectRecorded("minilm") { tokenizer.encode($0) }
    }

    private func expectRecorded(
        _ template: ChatTemplate, _ chats: [[ChatMessage]], _ results: [Chats.Result]
    ) {
        for (index, chat) in chats.enumerated() {
            let rendered = template.render(chat, addGenerationPrompt: false)
            #expect(rendered.ids == results[index].ids, "chat \(index)")
            #expect(
                rendered.scored.map { [$0.lowerBound, $0.upperBound] } == results[index].scored)
            #expect(
                template.render(chat, addGenerationPrompt: true).ids == results[index].prompt,
                "chat \(index) with a prompt")
        }
    }

    private func template(
        _ text: String, _ tokenizer: BPETokenizer
    ) throws -> ChatTemplate {
        let folder = try TemporaryFolder()
        try folder.write("chat_template.jinja", text: text)
        return try ChatTemplate(
            directory: folder.url, tokenizer: tokenizer, dateString: "26 Jul 2024")
    }

    @Test(.enabled(if: TokenizerTestModels.smolLM2 != nil, "smollm2-135m is not installed"))
    func chatML() throws {
        let model = try #require(TokenizerTestModels.smolLM2)
        let tokenizer = try BPETokenizer(directory: model)
        let recorded = try fixture("chats", as: Chats.self)
        let own = try ChatTemplate(directory: model, tokenizer: tokenizer)
        expectRecorded(own, recorded.chats, recorded.smollm2)
        expectRecorded(
            try template(recorded.smollm2_template, tokenizer), recorded.chats, recorded.smollm2)
        #expect(own.endOfTurn == 2)
        #expect(own.stopTokens == [0, 2])
        #expect(own.dateString == nil)
    }

    @Test(.enabled(if: TokenizerTestModels.llama3 != nil, "llama-3.2-tokenizer is not installed"))
    func llama3Template() throws {
        let model = try #require(TokenizerTestModels.llama3)
        let tokenizer = try BPETokenizer(directory: model)
        let recorded = try fixture("chats", as: Chats.self)
        // The model's own directory has no template; its special tokens tell.
        let own = try ChatTemplate(
            directory: model, tokenizer: tokenizer, dateString: "26 Jul 2024")
        expectRecorded(own, recorded.chats, recorded.llama3)
        expectRecorded(
            try template(recorded.llama_template, tokenizer), recorded.chats, recorded.llama3)
        #expect(own.endOfTurn == 128_009)
        #expect(own.stopTokens == [128_001, 128_008, 128_009])
        #expect(own.dateString == "26 Jul 2024")
    }
}
