import Foundation
import Testing

import CircadiaConversation
import CircadiaEvaluation
import CircadiaFormats
import CircadiaHub
import CircadiaLog
import CircadiaModel
import CircadiaTokenizer

/// The default model, where it is installed.
private enum DefaultModel {
    static let url = try? ModelStore.resolve("smollm2-135m")

    static func load(
        _ url: URL
    ) throws -> (model: AdaptedModel, tokenizer: BPETokenizer, template: ChatTemplate) {
        let tokenizer = try BPETokenizer(directory: url)
        return (
            AdaptedModel(try LlamaModel(directory: ModelDirectory(url)), adapter: nil), tokenizer,
            try ChatTemplate(directory: url, tokenizer: tokenizer, dateString: "26 Jul 2024")
        )
    }
}

@Suite(.enabled(if: DefaultModel.url != nil, "smollm2-135m is not installed"), .serialized)
struct RealModelTests {
    @Test func likelihoodsAgreeWithTheLossOfEachOption() throws {
        let (model, tokenizer, template) = try DefaultModel.load(try #require(DefaultModel.url))
        let subject = ModelSubject(model: model, tokenizer: tokenizer, template: template)
        let question = [ChatMessage(role: .user, content: "What is the capital of France?")]
        let options = ["Paris", "It is Paris.", "Potatoes"]
        let likelihoods = try subject.likelihoods(of: options, after: question)
        for (option, likelihood) in zip(options, likelihoods) {
            let whole = template.render(
                question + [ChatMessage(role: .assistant, content: option)],
                addGenerationPrompt: false)
            let range = try #require(whole.scored.last)
            // The same tokens without the end of the turn, in one pass without a shared prefix.
            let loss = model.loss(of: whole.ids, scored: [range.dropLast()])
            #expect(loss.tokens == range.count - 1)
            // Other tiles of tokens sum in another order: the last digits differ.
            #expect(abs(-loss.mean - likelihood) < 1e-4, "\(option)")
        }
        #expect(likelihoods[0] > likelihoods[2])
    }

    @Test func theHarnessRunsAndRepeats() throws {
        let (model, tokenizer, template) = try DefaultModel.load(try #require(DefaultModel.url))
        let prompts = try HarnessPrompt.load(
            ShippedDataTests.data.appending(path: "eval/harness.jsonl"))
        let harness = Harness(
            subject: ModelSubject(model: model, tokenizer: tokenizer, template: template))
        let some = prompts.filter { $0.id.hasSuffix("-01") || $0.id.hasSuffix("-15") }
        let first = try harness.run(some)
        #expect(first.results == (try harness.run(some)).results)
        // A model that knows a few words passes some, one of 135 million parameters not all.
        #expect(first.passed > 3 && first.passed < some.count)
    }

    /// Where a person says how answers begin, general replies are read after that, and their manner is free.
    @Test func anOpeningIsNoDrift() throws {
        let (model, tokenizer, template) = try DefaultModel.load(try #require(DefaultModel.url))
        let adapter = LoRAAdapter(
            configuration: AdapterConfiguration(
                numLayers: 1, loraParameters: .init(rank: 2, scale: 2, keys: nil)),
            model: model.configuration, seed: 1)
        let reply = "The leaves are green because of chlorophyll. They need light."
        func messages(_ question: String, _ reply: String) -> [ChatMessage] {
            [
                ChatMessage(role: .user, content: question),
                ChatMessage(role: .assistant, content: reply),
            ]
        }
        let texts = [
            GeneralText(
                id: "i", kind: .instruction, messages: messages("Why are leaves green?", reply)),
            GeneralText(
                id: "a", kind: .arithmetic, messages: messages("What is 2 + 3?", "2 + 3 = 5.")),
            GeneralText(id: "p", kind: .prose, messages: [], text: "The rain had stopped."),
        ]
        func kinds(_ opening: String?) throws -> [GeneralDrift.Kind] {
            try #require(
                GeneralDrift.measure(
                    model: model.with(adapter), tokenizer: tokenizer, template: template,
                    texts: texts, opening: opening)
            ).kinds
        }
        let (whole, free, after) = (try kinds(nil), try kinds(""), try kinds("Ahoy!"))
        // A fresh adapter changes nothing, wherever it is looked at.
        #expect((whole + free + after).allSatisfy { abs($0.perplexityChange) < 1e-6 })
        let place = try #require(whole.firstIndex { $0.kind == "instruction" })
        // The first two tokens, the end of the turn, and what follows the first sentence.
        #expect(free[place].tokens == whole[place].tokens - 4)
        #expect(after[place].tokens == free[place].tokens)
        #expect(after[place].lossBase != free[place].lossBase)
        for other in whole.indices where other != place {
            #expect(free[other] == whole[other] && after[other] == whole[other])
        }
    }

    @Test func theWeekHasALoss() throws {
        let (model, _, template) = try DefaultModel.load(try #require(DefaultModel.url))
        let log = try ChatLog.read(
            ShippedDataTests.data.appending(path: "samples/week.jsonl"), repairing: false)
        let report = try ChatLossEvaluator(model: model, template: template)
            .evaluate(Array(log.exchanges.prefix(5)))
        #expect(report.samples.allSatisfy { $0.tokens > 20 })
        #expect(report.loss > 2 && report.loss < 6)
    }
}
