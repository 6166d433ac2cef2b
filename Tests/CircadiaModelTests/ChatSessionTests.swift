import Testing

import CircadiaConversation
import CircadiaModel
import CircadiaTokenizer

extension ModelTests {
    @Suite struct ChatSessionTests {
        let model: AdaptedModel
        let tokenizer: BPETokenizer
        let template: ChatTemplate

        init() throws {
            // Of this seed, greedy replies go on until they are cut.
            let tiny = try TinyModel(seed: 2)
            let text = try TinyTokenizer(in: tiny.folder.url)
            tokenizer = text.tokenizer
            template = text.template
            model = try tiny.load()
        }

        private func session(_ contextLength: Int = 2000, system: String? = "Be brief.")
            -> ChatSession
        {
            ChatSession(
                model: model, tokenizer: tokenizer, template: template, system: system,
                contextLength: contextLength)
        }

        private func render(_ messages: [ChatMessage], reply: Bool = true) -> [Int32] {
            template.render(
                [ChatMessage(role: .system, content: "Be brief.")] + messages,
                addGenerationPrompt: reply
            ).ids
        }

        private func user(_ text: String) -> ChatMessage { ChatMessage(role: .user, content: text) }

        /// What the model says after these tokens, without a session.
        private func continuation(_ ids: [Int32], _ count: Int) throws -> [Int32] {
            try model.generate(
                prompt: ids, tokenizer: tokenizer, stopTokens: template.stopTokens,
                options: .greedy(maxTokens: count)
            ).tokens
        }

        @Test func onlyNewTokensAreRead() throws {
            let chat = session()
            let first = try chat.reply(to: "Hello there!", options: .greedy(maxTokens: 10))
            let prompt = render([user("Hello there!")])
            #expect(first.reusedTokens == 0)
            #expect(first.generation.promptTokens == prompt.count)
            #expect(first.generation.tokens == (try continuation(prompt, 10)))
            try #require(first.finishReason == .length)

            let second = try chat.reply(to: "And then?", options: .greedy(maxTokens: 10))
            let said = [
                user("Hello there!"), ChatMessage(role: .assistant, content: first.text),
            ]
            let added =
                render(said + [user("And then?")]).count - render(said, reply: false).count
            // All but the last token of the cut reply had been read.
            #expect(second.reusedTokens == prompt.count + 9)
            // That token, the end of the turn, the line feed, and the new turn.
            #expect(second.generation.promptTokens == 1 + 2 + added)

            // A cut reply is closed, and the tokens are those that were generated.
            let closing = [template.endOfTurn] + tokenizer.encode("\n")
            let turn = render(said + [user("And then?")]).suffix(added)
            let whole = prompt + first.generation.tokens + closing + turn
            #expect(second.generation.tokens == (try continuation(whole, 10)))
            #expect(chat.messages.map(\.role) == [.user, .assistant, .user, .assistant])
        }

        @Test func manyTurnsNeverBreakTheContext() throws {
            let chat = session(300)
            var dropped = 0
            for turn in 0..<30 {
                let text = "Turn \(turn): " + String(repeating: "word ", count: turn % 7)
                let reply = try chat.reply(to: text, options: .greedy(maxTokens: 20))
                let read = reply.reusedTokens + reply.generation.promptTokens
                #expect(read + reply.generation.generatedTokens <= 300 + 1)
                #expect(!reply.isMessageCut)
                dropped += reply.droppedMessages
                if reply.droppedMessages > 0 {
                    // What is left is the system message and the newest turns, read anew.
                    let prompt = render(Array(chat.messages.dropLast()))
                    #expect(read == prompt.count)
                    #expect(reply.generation.tokens == (try continuation(prompt, 20)))
                    #expect(chat.messages.first?.role == .user)
                }
            }
            #expect(dropped > 10)
            #expect(chat.messages.count + dropped == 60)
        }

        @Test func aMessageLongerThanTheContextIsCut() throws {
            let chat = session(300)
            _ = try chat.reply(to: "Hello", options: .greedy(maxTokens: 10))
            let text = "START " + String(repeating: "é and 日本 ", count: 500) + " END?"
            let reply = try chat.reply(to: text, options: .greedy(maxTokens: 10))
            #expect(reply.isMessageCut)
            #expect(reply.droppedMessages == 2)
            let shown = try #require(chat.messages.first?.content)
            #expect(shown.hasPrefix("START ") && shown.hasSuffix(" END?"))
            #expect(shown.contains("[…]") && !shown.contains("\u{FFFD}"))
            #expect(reply.generation.promptTokens + reply.reusedTokens <= 290)
            #expect(reply.generation.promptTokens + reply.reusedTokens > 270)
            let next = try chat.reply(to: "Still there?", options: .greedy(maxTokens: 10))
            #expect(next.generation.generatedTokens > 0)
        }

        @Test func aContextTooShortForTheTemplateIsAnError() throws {
            let chat = session(30)
            let error = #expect(throws: ModelError.self) {
                try chat.reply(to: "Hello", options: .greedy(maxTokens: 10))
            }
            guard case .contextTooShort(let length, let needed) = try #require(error) else {
                Issue.record("another error: \(String(describing: error))")
                return
            }
            #expect(length == 30 && needed == render([user("")]).count)
            #expect(chat.messages.isEmpty)
        }

        @Test func memoriesAreShownButNotKept() throws {
            let chat = session()
            let options = SamplingOptions.greedy(maxTokens: 8)
            let reply = try chat.reply(to: "Hi", context: "Remember: it rains.", options: options)
            let prompt = render([user("Remember: it rains.\n\nHi")])
            #expect(reply.generation.promptTokens == prompt.count)
            #expect(reply.generation.tokens == (try continuation(prompt, 8)))
            #expect(chat.messages.map(\.content) == ["Hi", reply.text])
            // The cache stays valid.
            let next = try chat.reply(to: "Bye", options: options)
            #expect(next.reusedTokens >= prompt.count)
        }

        @Test func memoriesGiveWayBeforeTheMessage() throws {
            let chat = session(300)
            let context = String(repeating: "memory ", count: 100)
            let reply = try chat.reply(
                to: "Hi", context: context, options: .greedy(maxTokens: 8))
            #expect(reply.isContextDropped && !reply.isMessageCut)
            #expect(reply.generation.promptTokens == render([user("Hi")]).count)
        }

        @Test func anotherAdapterStartsTheCacheAnew() throws {
            let chat = session()
            let options = SamplingOptions.greedy(maxTokens: 8)
            let first = try chat.reply(to: "Hi", options: options)
            chat.apply(LoRAAdapter.random(for: model.configuration, seed: 3))
            let second = try chat.reply(to: "Again", options: options)
            #expect(second.reusedTokens == 0)
            #expect(second.generation.promptTokens > first.generation.promptTokens + 8)
            let third = try chat.reply(to: "More", options: options)
            #expect(third.reusedTokens > 0)
        }

        @Test func stoppingKeepsWhatWasSaid() throws {
            let chat = session()
            var pieces = 0
            let reply = try chat.reply(to: "Hi", options: .greedy(maxTokens: 50)) { _ in
                pieces += 1
                return pieces < 4
            }
            #expect(reply.finishReason == .cancelled)
            #expect(chat.messages.map(\.content) == ["Hi", reply.text])
            let next = try chat.reply(to: "Go on", options: .greedy(maxTokens: 5))
            #expect(next.reusedTokens > 0)
        }

        @Test func aTurnCancelledBeforeItBeginsLeavesNoTrace() throws {
            let chat = session()
            let options = SamplingOptions.greedy(maxTokens: 8)
            _ = try chat.reply(to: "Hi", options: options)
            let before = chat.messages
            let reply = try chat.reply(to: "No", options: options, isCancelled: { true })
            #expect(reply.finishReason == .cancelled && reply.text.isEmpty)
            #expect(chat.messages == before)
            let next = try chat.reply(to: "Yes", options: options)
            #expect(next.reusedTokens > 0)
            let untouched = session()
            _ = try untouched.reply(to: "Hi", options: options)
            let expected = try untouched.reply(to: "Yes", options: options)
            #expect(next.generation.tokens == expected.generation.tokens)
            #expect(next.reusedTokens == expected.reusedTokens)
        }

        @Test func resettingForgetsEverything() throws {
            let chat = session()
            let options = SamplingOptions.greedy(maxTokens: 8)
            let first = try chat.reply(to: "Hi", options: options)
            let second = try chat.reply(to: "And?", options: options)
            #expect(second.reusedTokens > 0 && chat.messages.count == 4)
            chat.reset()
            #expect(chat.messages.isEmpty)
            let again = try chat.reply(to: "Hi", options: options)
            #expect(again.reusedTokens == 0)
            #expect(again.generation.promptTokens == first.generation.promptTokens)
            #expect(again.generation.tokens == first.generation.tokens)
            #expect(chat.messages.map(\.content) == ["Hi", again.text])
        }
    }
}
