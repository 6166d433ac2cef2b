import CircadiaApp
import CircadiaConversation
import CircadiaEvaluation
import CircadiaModel
import Foundation

/// Measurements that several commands share.
enum Measurement {
    static func loss(
        of exchanges: [Exchange], model: AdaptedModel, loaded: LoadedModel, console: Console
    ) throws -> LossReport {
        let tokenizer = try loaded.makeTokenizer()
        let template = try loaded.makeTemplate(tokenizer, dateString: PinnedDate.text)
        let evaluator = ChatLossEvaluator(model: model, template: template)
        return try evaluator.evaluate(exchanges) { done, total in
            if Console.errorIsTerminal {
                console.progress("loss: \(done) of \(total)", isLast: done == total)
            }
        }
    }

    static func precision(
        of exchanges: [Exchange], limit: Int, model: AdaptedModel, loaded: LoadedModel,
        console: Console
    ) throws -> PrecisionComparison {
        let tokenizer = try loaded.makeTokenizer()
        let template = try loaded.makeTemplate(tokenizer, dateString: PinnedDate.text)
        return try PrecisionComparison.measure(
            model: model, template: template, exchanges: exchanges, contextLength: 512,
            limit: limit
        ) { done in
            if Console.errorIsTerminal {
                console.progress("\(done) of up to \(limit) tokens", isLast: done == limit)
            }
        }
    }

    /// Measures how far the adapter moves the model from the base model on general texts, in f32.
    static func drift(
        model: AdaptedModel, texts path: String?, loaded: LoadedModel
    ) throws -> GeneralDrift {
        guard
            let url = path.map({ URL(fileURLWithPath: $0) })
                ?? ShippedFiles.locate("eval/gate.jsonl")
        else {
            throw CommandFailure(
                "the general texts are missing; run from the checkout, install with "
                    + "'make install', or give --texts FILE")
        }
        let tokenizer = try loaded.makeTokenizer()
        let template = try loaded.makeTemplate(tokenizer, dateString: PinnedDate.text)
        guard
            let drift = GeneralDrift.measure(
                model: model.with(precision: .exact), tokenizer: tokenizer, template: template,
                texts: try GeneralText.load(url))
        else { throw CommandFailure("\(url.relativePath): no text has words to score") }
        return drift
    }

    static func harness(
        prompts path: String?, limit: Int, model: AdaptedModel, loaded: LoadedModel,
        console: Console
    ) throws -> HarnessReport {
        guard
            let url = path.map({ URL(fileURLWithPath: $0) })
                ?? ShippedFiles.locate("eval/harness.jsonl")
        else {
            throw CommandFailure(
                "the harness's prompts are missing; run from the checkout, install with "
                    + "'make install', or give --prompts FILE")
        }
        var prompts = try HarnessPrompt.load(url)
        if limit > 0 { prompts = Array(prompts.prefix(limit)) }
        let tokenizer = try loaded.makeTokenizer()
        let template = try loaded.makeTemplate(tokenizer, dateString: PinnedDate.text)
        let harness = Harness(
            subject: ModelSubject(model: model, tokenizer: tokenizer, template: template))
        return try harness.run(prompts) { done, total in
            if Console.errorIsTerminal {
                console.progress("harness: \(done) of \(total)", isLast: done == total)
            }
        }
    }
}
