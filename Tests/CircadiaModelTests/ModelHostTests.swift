import CircadiaConversation
import Foundation
import Testing

import CircadiaFormats
import CircadiaModel

extension ModelTests {
    /// The owner of a model: the same replies as a chat's, one at a time, on one thread.
    @Suite struct ModelHostTests {
        private let tiny: TinyModel
        private let files: TinyTokenizer
        private let host: ModelHost

        init() throws {
            tiny = try TinyModel()
            files = try TinyTokenizer(in: tiny.folder.url)
            host = try ModelHost(LoadedModel(at: tiny.folder.url, name: "tiny"))
        }

        private func request(_ message: String, after history: [ChatMessage] = [])
            -> ModelHost.Request
        {
            var request = ModelHost.Request(message)
            request.history = history
            request.options = .greedy(maxTokens: 8)
            return request
        }

        private func chat(_ adapter: LoRAAdapter? = nil) throws -> ChatSession {
            let model = try LoadedModel(at: tiny.folder.url, name: "tiny").model
            return ChatSession(
                model: AdaptedModel(model, adapter: adapter), tokenizer: files.tokenizer,
                template: files.template)
        }

        @Test func repliesAreThoseOfAChatAndItsTokensAreReused() async throws {
            let chat = try chat()
            let first = try chat.reply(to: "Hi", options: .greedy(maxTokens: 8))
            let hosted = try await host.respond(to: request("Hi"))
            #expect(hosted.text == first.text)
            let second = try chat.reply(to: "Again", options: .greedy(maxTokens: 8))
            let next = try await host.respond(
                to: request(
                    "Again",
                    after: [
                        ChatMessage(role: .user, content: "Hi"),
                        ChatMessage(role: .assistant, content: hosted.text),
                    ]))
            #expect(next.text == second.text && next.reusedTokens == second.reusedTokens)
            #expect(next.reusedTokens > 0)
            // Another conversation shares no more than what stands before its first message.
            let other = try await host.respond(to: request("Hi"))
            #expect(other.text == first.text)
        }

        @Test func anAdapterIsAnArgument() async throws {
            let adapter = LoRAAdapter.random(for: tiny.directory.configuration, seed: 3)
            let url = tiny.folder.file("adapter")
            try adapter.save(to: url)
            let id = try await host.addAdapter(from: url)
            var adapted = request("Hi")
            adapted.adapter = id
            let expected = try chat(adapter).reply(to: "Hi", options: adapted.options)
            let plain = try chat().reply(to: "Hi", options: adapted.options)
            #expect(expected.generation.tokens != plain.generation.tokens)
            for _ in 0..<2 {
                #expect(
                    try await host.respond(to: adapted).generation.tokens
                        == expected.generation.tokens)
                #expect(
                    try await host.respond(to: request("Hi")).generation.tokens
                        == plain.generation.tokens)
            }
            await host.removeAdapter(id)
            await #expect(throws: ModelError.unknownAdapter) {
                try await host.respond(to: adapted)
            }
        }

        @Test func requestsThatComeTogetherAreAnsweredOneByOneOnOneThread() async throws {
            let expected = try chat().reply(to: "Hi", options: .greedy(maxTokens: 8)).text
            let threads = Threads()
            let replies = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<8 {
                    group.addTask { [host] in
                        try await host.respond(to: request("Hi")) { _ in
                            threads.add(Thread.current)
                            return true
                        }.text
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(replies == Array(repeating: expected, count: 8))
            #expect(threads.count == 1)
        }

        @Test func aCancelledTaskEndsItsReply() async throws {
            var long = request("Hi")
            long.options = .greedy(maxTokens: 2000)
            let started = AsyncStream<Void>.makeStream()
            let task = Task { [host, long] in
                try await host.respond(to: long) { _ in
                    started.continuation.yield()
                    return true
                }
            }
            for await _ in started.stream { break }
            task.cancel()
            let reply = try await task.value
            #expect(reply.finishReason == .cancelled)
            #expect(reply.generation.generatedTokens < 2000)
        }

        /// A host that nobody holds lets its thread end.
        @Test func theThreadEndsWithTheHost() async throws {
            weak var executor: ThreadExecutor?
            weak var owner: ModelHost?
            do {
                let host = try ModelHost(LoadedModel(at: tiny.folder.url, name: "tiny"))
                _ = try await host.respond(to: request("Hi"))
                (executor, owner) = (host.executor, host)
                #expect(executor != nil)
            }
            // The thread lets go of the executor after the job that it is in.
            for _ in 0..<500 where executor != nil { try await Task.sleep(for: .milliseconds(10)) }
            #expect(owner == nil)
            #expect(executor == nil)
        }
    }
}

/// The threads that were seen.
private final class Threads: @unchecked Sendable {
    private let lock = NSLock()
    private var seen: Set<ObjectIdentifier> = []

    var count: Int { lock.withLock { seen.count } }

    func add(_ thread: Thread) {
        lock.withLock { _ = seen.insert(ObjectIdentifier(thread)) }
    }
}
