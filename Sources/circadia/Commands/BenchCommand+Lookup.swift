import CircadiaApp
import CircadiaConversation
import CircadiaModel
import CircadiaRetrieval
import Foundation

/// Measures replies with and without lookup decoding, alternately.
extension BenchCommand {
    /// A question, and the remembered exchange that the model is shown before it, if any.
    struct Quotation: Decodable {
        let question: String
        let asked: String?
        let answer: String?

        var memories: [Memory] {
            guard let asked, let answer else { return [] }
            let exchange = Exchange(
                id: "benchmark", timestamp: Date(timeIntervalSince1970: 1_772_600_000),
                messages: [
                    ChatMessage(role: .user, content: asked),
                    ChatMessage(role: .assistant, content: answer),
                ])
            return [Memory(exchange)]
        }
    }

    /// One reply, or all of them together.
    struct LookupReply: Encodable {
        var question: String
        var generatedTokens = 0
        var draftedTokens = 0
        var acceptedTokens = 0
        var seconds = 0.0
        var secondsWithout = 0.0

        var ratio: Double { secondsWithout / seconds }

        var line: String {
            let speed = Double(generatedTokens) / seconds
            return String(
                format: "lookup %4d tokens  %7.1f tokens/s  %4.2f times  %4d of %4d guesses  ",
                generatedTokens, speed, ratio, acceptedTokens, draftedTokens) + question
        }
    }

    struct LookupSeries: Encodable {
        let tps, tpsWithoutLookup: Double
        let all: LookupReply
        let replies: [LookupReply]

        var lines: [String] { (replies + [all]).map(\.line) }
    }

    /// Measures greedy replies to each question with and without lookup; the fastest of `reps`
    /// counts.
    ///
    /// - Throws: `CommandFailure` if lookup changes a reply.
    func measureLookup(_ loaded: LoadedModel, questions path: String) throws -> LookupSeries {
        let tokenizer = try loaded.makeTokenizer()
        let template = try loaded.makeTemplate(tokenizer)
        let model = AdaptedModel(loaded.model, adapter: nil)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let replies = try lines.map { line in
            let quotation = try JSONDecoder().decode(Quotation.self, from: Data(line.utf8))
            func reply(usesLookup: Bool) throws -> GenerationResult {
                let chat = ChatSession(model: model, tokenizer: tokenizer, template: template)
                let block = MemoryLookup.block(
                    quotation.memories, tokenBudget: MemoryLookup.defaultTokenBudget,
                    tokenizer: tokenizer)
                chat.quotable = MemoryLookup.quotable(block?.shown ?? [], tokenizer: tokenizer)
                var options = SamplingOptions.greedy(maxTokens: 256)
                options.usesLookup = usesLookup
                return try chat.reply(
                    to: quotation.question, context: block?.text, options: options
                ).generation
            }
            var best = LookupReply(
                question: quotation.question, seconds: .infinity, secondsWithout: .infinity)
            for _ in 0..<reps {
                let with = try reply(usesLookup: true)
                let without = try reply(usesLookup: false)
                if with.tokens != without.tokens {
                    throw CommandFailure("lookup changed the reply to “\(quotation.question)”")
                }
                best.generatedTokens = with.generatedTokens
                best.draftedTokens = with.draftedTokens
                best.acceptedTokens = with.acceptedTokens
                best.seconds = min(best.seconds, with.generationSeconds)
                best.secondsWithout = min(best.secondsWithout, without.generationSeconds)
            }
            return best
        }
        var all = LookupReply(question: "all")
        for reply in replies {
            all.generatedTokens += reply.generatedTokens
            all.draftedTokens += reply.draftedTokens
            all.acceptedTokens += reply.acceptedTokens
            all.seconds += reply.seconds
            all.secondsWithout += reply.secondsWithout
        }
        let tokens = Double(all.generatedTokens)
        return LookupSeries(
            tps: tokens / all.seconds, tpsWithoutLookup: tokens / all.secondsWithout, all: all,
            replies: replies)
    }
}
