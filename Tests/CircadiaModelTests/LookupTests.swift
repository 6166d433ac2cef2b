import CircadiaFormats
import CircadiaModel
import CircadiaTokenizer
import Foundation
import Testing

extension ModelTests {
    /// Guessing tokens from earlier text.
    @Suite struct LookupTests {
        @Test func theLongestLatestMatchIsContinued() {
            // 1 2 3 is followed by 4, later by 5; 9 1 2 3 by 6.
            let draft = LookupDraft(text: [9, 1, 2, 3, 6, 7, 1, 2, 3, 4, 0, 1, 2, 3, 5, 9, 1, 2, 3])
            #expect(Array(draft.guess(limit: 2)) == [6, 7])
            let latest = LookupDraft(text: [1, 2, 3, 4, 0, 1, 2, 3, 5, 8, 1, 2, 3])
            #expect(Array(latest.guess(limit: 2)) == [5, 8])
            #expect(LookupDraft(text: [1, 2, 9, 1, 2]).guess(limit: 4).isEmpty)
            #expect(latest.guess(limit: 0).isEmpty)
            #expect(LookupDraft(text: []).guess(limit: 4).isEmpty)
        }

        @Test func reachFollowsSuccess() {
            let text = (0..<60).map { Int32($0) } + [0, 1, 2]
            var draft = LookupDraft(text: text)
            let first = draft.guess(limit: 16).count
            draft.learn(drafted: 16, accepted: 16)
            let second = draft.guess(limit: 16).count
            draft.learn(drafted: 16, accepted: 16)
            #expect(first > 1 && second > first && draft.guess(limit: 16).count > second)
            draft.learn(drafted: 8, accepted: 1)
            #expect(draft.guess(limit: 16).count <= second + 4)
            draft.learn(drafted: 3, accepted: 0)
            #expect(draft.guess(limit: 16).isEmpty, "a pause of one token")
            draft.append(3)
            #expect(!draft.guess(limit: 16).isEmpty)
            for _ in 0..<40 { draft.learn(drafted: 2, accepted: 0) }
            for _ in 0..<LookupDraft.longest { draft.append(4) }
            for token in [0, 1, 2] as [Int32] { draft.append(token) }
            #expect(draft.guess(limit: 16).count == 1, "hardly ever right: one at a time")
        }

        /// Every row of a batch is, bit for bit, what the token would have had alone.
        @Test(.enabled(if: Surroundings.chatModel != nil, "smollm2-135m is not installed"))
        func batchesHaveTheBitsOfSingleTokens() throws {
            let directory = try ModelDirectory(try #require(Surroundings.chatModel))
            let model = try LlamaModel(directory: directory, precision: .int8)
            let configuration = AdapterConfiguration(
                numLayers: 16, loraParameters: .init(rank: 8, scale: 20, keys: nil))
            let adapter = LoRAAdapter(
                configuration: configuration, model: model.configuration, seed: 3)
            for (_, _, pair) in adapter.allPairs {
                for index in 0..<pair.b.count { pair.b[index] = Float(index % 7 - 3) * 1e-4 }
            }
            let tokens = (0..<317).map { Int32(100 + ($0 * 37) % 9000) }
            for adapter in [nil, adapter] {
                model.adapter = adapter
                for past in [5, 300] {
                    let alone = model.makeCache(capacity: 400)
                    let together = model.makeCache(capacity: 400)
                    model.forward(Array(tokens[..<past]), cache: alone, logits: .none)
                    model.forward(Array(tokens[..<past]), cache: together, logits: .none)
                    let rest = tokens[past..<past + 17]
                    let single = rest.map { copy(model.forward([$0], cache: alone)) }
                    for count in [2, 3, 4, 5, 8, 9, 13, 16, 17] {
                        together.truncate(to: past)
                        let batch = model.forward(
                            Array(rest.prefix(count)), cache: together, logits: .all)
                        for row in 0..<count {
                            #expect(
                                batch[row].elementsEqual(single[row]),
                                "row \(row) of \(count) after \(past)")
                        }
                    }
                }
            }
        }

        @Test(.enabled(if: Surroundings.chatModel != nil, "smollm2-135m is not installed"))
        func textIsTheSameWithAndWithout() throws {
            let url = try #require(Surroundings.chatModel)
            let model = try LlamaModel(directory: try ModelDirectory(url), precision: .int8)
            let tokenizer = try BPETokenizer(directory: url)
            let template = try ChatTemplate(directory: url, tokenizer: tokenizer)
            let code = "func area(width: Double, height: Double) -> Double {\n    width * height\n}"
            let questions = [
                "Repeat this code exactly:\n\(code)\nAgain, exactly:\n\(code)",
                "Count from one to thirty, then count again.", "Tell me about the sea.",
            ]
            var accepted = 0
            for question in questions {
                let prompt = template.render(
                    [ChatMessage(role: .user, content: question)], addGenerationPrompt: true)
                for (temperature, penalty) in [(Float(0), Float(1)), (0.7, 1), (0, 1.1)] {
                    var options = SamplingOptions.greedy(maxTokens: 120)
                    options.temperature = temperature
                    options.repetitionPenalty = penalty
                    options.seed = 11
                    var results: [GenerationResult] = []
                    for usesLookup in [false, true] {
                        options.usesLookup = usesLookup
                        results.append(
                            try model.generate(
                                prompt: prompt.ids, tokenizer: tokenizer,
                                stopTokens: template.stopTokens, options: options))
                    }
                    #expect(results[0].tokens == results[1].tokens, "\(question) \(temperature)")
                    #expect(results[0].finishReason == results[1].finishReason)
                    #expect(results[0].generatedTokens == results[1].generatedTokens)
                    #expect(results[0].draftedTokens == 0)
                    #expect(results[1].acceptedTokens <= results[1].draftedTokens)
                    accepted += results[1].acceptedTokens
                }
            }
            #expect(accepted > 50, "\(accepted)")
        }

        /// A session goes on after a reply that was cut in the middle of accepted guesses.
        @Test(.enabled(if: Surroundings.chatModel != nil, "smollm2-135m is not installed"))
        func aCutReplyLeavesTheCacheRight() throws {
            let url = try #require(Surroundings.chatModel)
            let model = try LlamaModel(directory: try ModelDirectory(url), precision: .int8)
            let tokenizer = try BPETokenizer(directory: url)
            let template = try ChatTemplate(directory: url, tokenizer: tokenizer)
            func replies(_ usesLookup: Bool) throws -> [String] {
                let chat = ChatSession(model: model, tokenizer: tokenizer, template: template)
                var options = SamplingOptions.greedy(maxTokens: 48)
                options.usesLookup = usesLookup
                var pieces = 0
                let first = try chat.reply(
                    to: "Write the word tide twenty times.", options: options,
                    onText: { _ in
                        pieces += 1
                        return pieces < 23
                    })
                let second = try chat.reply(to: "And once more.", options: options)
                return [first.text, second.text]
            }
            #expect(try replies(true) == replies(false))
        }
    }
}
