import CircadiaTestSupport
import Foundation
import Testing

import CircadiaConversation
import CircadiaFormats
import CircadiaModel
import CircadiaTokenizer

extension ModelTests {
    /// Guessing tokens from earlier text.
    @Suite struct LookupTests {
        /// What a guesser that has read `text` and then a quoting reply makes of it.
        private func guess(_ draft: LookupDraft, limit: Int) -> [Int32] {
            var batch: [Int32] = []
            draft.guess(limit: limit, into: &batch)
            return batch
        }

        @Test func theLongestLatestMatchIsContinued() {
            // 2 3 4 5 is followed by 6 7, later by 8 9 where 1 stands before it.
            let text: [Int32] = [9, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 8, 9]
            #expect(guess(LookupDraft(text: text + [9, 2, 3, 4, 5]), limit: 2) == [6, 7])
            #expect(guess(LookupDraft(text: text + [1, 2, 3, 4, 5]), limit: 2) == [8, 9])
            #expect(guess(LookupDraft(text: text + [0, 2, 3, 4, 5]), limit: 2) == [8, 9])
            #expect(guess(LookupDraft(text: text + [2, 3, 4, 5]), limit: 0) == [])
            #expect(guess(LookupDraft(text: [1, 9, 1]), limit: 4) == [])
            #expect(guess(LookupDraft(text: []), limit: 4) == [])
        }

        @Test func aHabitIsContinuedWithItsPeriod() {
            let draft = LookupDraft(text: Array(repeating: [1, 2, 3], count: 9).flatMap { $0 })
            #expect(guess(draft, limit: 7) == [1, 2, 3, 1, 2, 3, 1])
        }

        @Test func reachFollowsSuccess() {
            let text = (0..<200).map { Int32($0) } + [300, 0, 1, 2, 3]
            var draft = LookupDraft(text: text)
            let first = guess(draft, limit: 16).count
            for token in 4..<30 { draft.append(Int32(token)) }
            let second = guess(draft, limit: 16).count
            for token in 30..<100 { draft.append(Int32(token)) }
            let third = guess(draft, limit: 16).count
            #expect(0 < first && first < second && second <= third, "\(first) \(second) \(third)")
            #expect(third == LookupDraft.longest)
        }

        /// Guesses that are mostly wrong are made no more, and made again once they would be right.
        @Test func opinionsChange() {
            let text = (0..<40).map { Int32($0) }
            var draft = LookupDraft(text: text)
            var made = 0
            for round in 0..<200 {
                for token in 5..<9 { draft.append(Int32(token)) }
                if round >= 100 { made += guess(draft, limit: 16).count }
                draft.append(Int32(1000 + round))
            }
            #expect(made == 0)
            for token in 5..<40 { draft.append(Int32(token)) }
            for token in 5..<30 { draft.append(Int32(token)) }
            #expect(guess(draft, limit: 4) == [30, 31, 32, 33])
        }

        /// Every row of a batch is, bit for bit, what the token would have had alone.
        @Test(.enabled(if: Surroundings.chatModel != nil, "smollm2-135m is not installed"))
        func batchesHaveTheBitsOfSingleTokens() throws {
            let directory = try ModelDirectory(try #require(Surroundings.chatModel))
            let model = try AdaptedModel(directory, .int8)
            let configuration = AdapterConfiguration(
                numLayers: 16, loraParameters: .init(rank: 8, scale: 20, keys: nil))
            let adapter = LoRAAdapter(
                configuration: configuration, model: model.configuration, seed: 3)
            for (_, _, pair) in adapter.allPairs {
                for index in 0..<pair.b.count { pair.b[index] = Float(index % 7 - 3) * 1e-4 }
            }
            let tokens = (0..<317).map { Int32(100 + ($0 * 37) % 9000) }
            for adapter in [nil, adapter] {
                let model = model.with(adapter)
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
            let model = try AdaptedModel(try ModelDirectory(url), .int8)
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
            let model = try AdaptedModel(try ModelDirectory(url), .int8)
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
