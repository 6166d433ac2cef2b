import CircadiaConversation
import CircadiaFormats
import CircadiaTokenizer
import Foundation

/// The owner of a model that several front ends share: it answers one request at a time.
///
/// It holds the weights, their tokenizer and template, and the adapters that were added. Everything is
/// computed on a thread of its own (`ThreadExecutor` says why), so that tasks that wait for a reply
/// hold up no others.
package actor ModelHost {
    /// Names an adapter that a host holds.
    package struct AdapterID: Hashable, Sendable {
        fileprivate let number: Int
    }

    /// A message with the conversation before it.
    package struct Request: Sendable {
        /// A system message, or nil for the template's own.
        package var system: String?
        /// What was said before, oldest first.
        package var history: [ChatMessage] = []
        /// What the person says.
        package var message: String
        /// Memories to show to the model in front of the message.
        package var context: String?
        /// The adapter to answer with; nil for the base model.
        package var adapter: AdapterID?
        /// How tokens are drawn, and how many at most.
        package var options = SamplingOptions()

        /// A request without history, for the base model.
        package init(_ message: String) { self.message = message }
    }

    private let base: AdaptedModel
    private let tokenizer: BPETokenizer
    private let template: ChatTemplate
    private let contextLength: Int?
    private var adapters: [AdapterID: LoRAAdapter] = [:]
    private var addedAdapters = 0
    /// The latest conversation: its keys and values save reading it again. With the adapter of it.
    private var latest: (chat: ChatSession, adapter: AdapterID?)?
    /// The one thread on which replies are computed.
    package nonisolated let executor = ThreadExecutor(name: "circadia-model")

    /// The thread that runs the actor, since a reply would block the threads of the concurrency pool.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    /// A host of a loaded model.
    ///
    /// - Parameters:
    ///   - loaded: the weights and where tokenizer and template are read from.
    ///   - dateString: the date that the template shows; nil for today's.
    ///   - contextLength: tokens that prompt and reply may take together; nil as in `ChatSession`.
    /// - Throws: `TokenizerError`, `TemplateError`.
    package init(
        _ loaded: LoadedModel, dateString: String? = nil, contextLength: Int? = nil
    ) throws {
        base = AdaptedModel(loaded.model, adapter: nil)
        tokenizer = try loaded.makeTokenizer()
        template = try loaded.makeTemplate(tokenizer, dateString: dateString)
        self.contextLength = contextLength
    }

    /// Reads an adapter from its folder and keeps it until `removeAdapter`.
    ///
    /// - Throws: `FormatError` naming the tensor, what was expected and what was found.
    package func addAdapter(from url: URL) throws -> AdapterID {
        let adapter = try LoRAAdapter.load(from: url, for: base.configuration)
        addedAdapters += 1
        let id = AdapterID(number: addedAdapters)
        adapters[id] = adapter
        return id
    }

    /// Lets go of an adapter; requests that name it are refused from now on.
    package func removeAdapter(_ id: AdapterID) {
        adapters[id] = nil
        if latest?.adapter == id { latest = nil }
    }

    /// Answers a request; others wait until the reply is complete.
    ///
    /// The tokens that the conversation shares with the latest one are not read again.
    ///
    /// - Parameters:
    ///   - request: the message, what was said before, and how to answer.
    ///   - onPiece: gets each piece of text on the host's thread, whole characters only; false ends
    ///     the reply. So does the cancellation of the task.
    /// - Returns: the reply, also if it was cut.
    /// - Throws: `ModelError.unknownAdapter`, `.contextTooShort`, `.vocabularyMismatch`.
    package func respond(
        to request: Request, onPiece: @Sendable (String) -> Bool = { _ in true }
    ) throws(ModelError) -> ChatReply {
        let chat = try chat(for: request)
        chat.resume(request.history)
        return try chat.reply(
            to: request.message, context: request.context, options: request.options,
            onText: onPiece, isCancelled: { Task.isCancelled })
    }

    /// The latest conversation if it can go on under the request's adapter, else a new one.
    private func chat(for request: Request) throws(ModelError) -> ChatSession {
        var adapter: LoRAAdapter?
        if let id = request.adapter {
            guard let known = adapters[id] else { throw .unknownAdapter }
            adapter = known
        }
        if let latest, latest.adapter == request.adapter, latest.chat.system == request.system {
            return latest.chat
        }
        // One cache at a time: the old one goes before the new one comes.
        latest = nil
        let chat = ChatSession(
            model: base.with(adapter), tokenizer: tokenizer, template: template,
            system: request.system, contextLength: contextLength)
        latest = (chat, request.adapter)
        return chat
    }
}
