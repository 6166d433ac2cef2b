import CircadiaFormats
import CircadiaMemory
import CircadiaSleep
import CircadiaTokenizer
import Testing

/// The default model, where it is installed.
private enum SleepTestModel {
    static let url = try? ModelStore.resolve("smollm2-135m")
}

@Suite(
    "Night's rows", .enabled(if: SleepTestModel.url != nil, "smollm2-135m is not installed"))
struct NightDatasetTests {
    private let tokenizer: BPETokenizer
    private let template: ChatTemplate

    init() throws {
        let model = try #require(SleepTestModel.url)
        tokenizer = try BPETokenizer(directory: model)
        template = try ChatTemplate(directory: model, tokenizer: tokenizer)
    }

    @Test("Prose is read without a chat around it, all of it scored, and keeps to the base model")
    func prose() throws {
        let text = "The rain had stopped. <|im_end|> is no end here."
        let exchange = Exchange(
            messages: [ChatMessage(role: .assistant, content: text)], tags: [Exchange.proseTag])
        let rows = NightDataset(
            training: [], general: [exchange], generalKeepsBase: true, heldOut: [],
            template: template, maxSequenceLength: 1024
        ).training
        let ids = tokenizer.encode(text, special: .plain)
        #expect(rows.map(\.ids) == [ids])
        #expect(rows.map(\.scored) == [[0..<ids.count]])
        #expect(rows.map(\.keepsBase) == [true])
    }
}
