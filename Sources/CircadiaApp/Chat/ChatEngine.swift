import CircadiaAnalysis
import CircadiaConversation
import CircadiaLog
import CircadiaModel
import CircadiaRetrieval
import CircadiaTokenizer
import Foundation

/// One conversation, from a message to its logged exchange.
///
/// A turn goes through: tags are taken out of the message → memories are looked up → the model
/// replies, piece by piece → secrets are taken out → one line is appended to the log, durably → the
/// store takes the exchange in. Front ends hand in messages and show `ChatEvent`s; they never touch
/// log, store or model.
///
/// A chat is used by one thread at a time.
package final class ChatEngine {
    /// What a chat is made of besides its model.
    package struct Settings {
        /// The model's name, as it is logged.
        package var modelName: String
        /// The loaded adapter's path, as it is logged; nil without one.
        package var adapterPath: String?
        /// A system message, or nil for the template's own.
        package var system: String?
        /// How tokens are drawn; the seed is replaced for every reply.
        package var sampling = SamplingOptions()
        /// The seeds of the replies.
        package var seeds = SeedSequence(seed: nil)
        /// Whether the log and the store keep secrets. They never train.
        package var keepsSecrets = false

        /// Settings for a model and the adapter that is loaded into it.
        package init(modelName: String, adapterPath: String? = nil) {
            self.modelName = modelName
            self.adapterPath = adapterPath
        }
    }

    private let chat: ChatSession
    private let tokenizer: BPETokenizer
    private let log: ChatLog
    private let memories: MemoryLookup?
    private let settings: Settings
    private let session = SessionName.make()
    private let presence: ChatPresence?
    private let report: (ChatEvent) -> Void
    private var seeds: SeedSequence
    private var watch: AdapterWatch
    /// The latest replies of the log, which new ones may quote.
    private let logged: [Int32]
    /// Exchanges that are not on the disk yet, oldest first.
    private var unsaved: [Exchange] = []
    /// Memories that the model was shown in this conversation.
    private var inView: [Memory] = []
    /// The exchange that a mark is about.
    private var last: Exchange?

    /// Tokens of earlier chats that replies may quote.
    private static let quotableTokens = 16384

    /// A new conversation.
    ///
    /// - Parameters:
    ///   - model: with the adapter that it is to use.
    ///   - tokenizer: the model's own.
    ///   - template: the model's own.
    ///   - place: where exchanges go.
    ///   - memories: retrieval; nil chats without.
    ///   - settings: everything else.
    ///   - report: gets every event, on the thread that calls the engine.
    package init(
        model: AdaptedModel, tokenizer: BPETokenizer, template: ChatTemplate, place: ChatPlace,
        memories: MemoryLookup? = nil, settings: Settings,
        report: @escaping (ChatEvent) -> Void
    ) {
        log = place.log
        presence = place.presence
        watch = place.watch
        self.tokenizer = tokenizer
        self.memories = memories
        self.settings = settings
        self.report = report
        seeds = settings.seeds
        logged = Self.quotable(from: log, tokenizer: tokenizer)
        chat = ChatSession(
            model: model, tokenizer: tokenizer, template: template, system: settings.system)
    }

    /// Says something: one turn.
    ///
    /// When it returns, the exchange is on the disk, or `ChatEvent.notLogged` was reported.
    ///
    /// - Parameters:
    ///   - message: what a person typed, perhaps with `#no-train` or `#no-rag`; nothing happens if
    ///     nothing else is in it.
    ///   - correctsLast: whether it puts the last reply right.
    ///   - isCancelled: asked often while the model works; true ends the reply. What was said until
    ///     then is logged.
    /// - Returns: the exchange as it is logged; nil if there is none.
    /// - Throws: `ModelError`; the conversation is as it was.
    @discardableResult
    package func send(
        _ message: String, correctsLast: Bool = false, isCancelled: () -> Bool = { false }
    ) throws -> Exchange? {
        var (message, tags) = ChatTags.split(message)
        if correctsLast { tags.append(Exchange.correctionTag) }
        if message.isEmpty { return nil }
        presence?.touch()
        let found = tags.contains(Exchange.noRetrievalTag) ? nil : lookUp(message)
        let reply = try reply(to: message, found: found, isCancelled: isCancelled)
        last = nil
        guard !reply.text.isEmpty else { return nil }
        tags += recalledTags(of: reply, found: found)
        let clean = CleanExchange(
            cleaning: Exchange(
                id: UUID().uuidString.lowercased(), timestamp: Date(), session: session,
                messages: [
                    ChatMessage(role: .user, content: message),
                    ChatMessage(role: .assistant, content: reply.text),
                ], model: settings.modelName, adapter: settings.adapterPath, tags: tags))
        let exchange = kept(clean)
        unsaved.append(exchange)
        last = exchange
        do {
            try save()
        } catch {
            report(.notLogged(error, waiting: unsaved.count))
        }
        presence?.touch()
        remember(clean)
        if let news = watch.news() { report(.newAdapter(version: news.version)) }
        return exchange
    }

    /// Marks the last reply, in the log too if it is there already.
    ///
    /// - Returns: whether it was marked.
    @discardableResult
    package func mark(_ mark: ReplyMark) -> Bool {
        guard var exchange = last else {
            report(.nothingToMark(mark))
            return false
        }
        exchange.tags = mark.added(to: exchange.tags)
        if let index = unsaved.firstIndex(where: { $0.id == exchange.id }) {
            unsaved[index].tags = exchange.tags
        } else {
            do {
                guard try !log.retag(ids: [exchange.id], mark.added).isEmpty else {
                    report(.markedExchangeGone)
                    return false
                }
            } catch {
                report(.notMarked(mark, error))
                return false
            }
            do { try memories?.setTags(of: exchange) } catch { report(.markNotStored(error)) }
        }
        last = exchange
        report(.marked(mark))
        return true
    }

    /// Ends the conversation: exchanges that are not on the disk yet are tried once more.
    ///
    /// - Throws: `FileError` if that fails again.
    package func finish() throws { try save() }

    // MARK: Steps of a turn

    /// Looks up memories; a store that fails does not end the chat.
    private func lookUp(_ message: String) -> MemoryLookup.Outcome? {
        guard let memories else { return nil }
        do {
            let found = try memories.lookUp(message)
            report(.memories(found))
            return found
        } catch {
            report(.memoriesFailed(error))
            return nil
        }
    }

    private func reply(
        to message: String, found: MemoryLookup.Outcome?, isCancelled: () -> Bool
    ) throws -> ChatReply {
        let shown = found?.block?.shown ?? []
        chat.quotable = logged + MemoryLookup.quotable(shown, tokenizer: tokenizer)
        var options = settings.sampling
        options.seed = seeds.next()
        let reply = try chat.reply(
            to: message, context: found?.block?.text, options: options,
            onText: { piece in
                report(.text(piece))
                return !isCancelled()
            }, isCancelled: isCancelled)
        report(.replied(reply))
        return reply
    }

    /// Tags for the memories that the reply was shown. Those that were shown earlier are still in
    /// view; they count if the reply repeats them.
    private func recalledTags(of reply: ChatReply, found: MemoryLookup.Outcome?) -> [String] {
        let shown = reply.isContextDropped ? [] : found?.block?.shown ?? []
        let repeated = inView.filter { memory in
            !shown.contains { $0.id == memory.id }
                && MemoryEcho.isPresent(of: memory.text, in: reply.text)
        }
        inView += shown.filter { memory in !inView.contains { $0.id == memory.id } }
        return (shown + repeated).map { Exchange.recalledTagPrefix + $0.id }
    }

    /// The exchange as it is written down: without secrets, unless they are wanted.
    private func kept(_ clean: CleanExchange) -> Exchange {
        if !settings.keepsSecrets, !clean.secrets.isEmpty {
            report(.secretsRemoved(Set(clean.secrets)))
        }
        return clean.kept(keepingSecrets: settings.keepsSecrets)
    }

    /// Appends in order and forgets what is on the disk.
    private func save() throws {
        while let exchange = unsaved.first {
            let repair = try log.append(exchange)
            unsaved.removeFirst()
            if repair != .none { report(.logRepaired(repair)) }
            report(.logged(exchange))
        }
    }

    /// Stores the exchange; a store that fails does not end the chat, since the log has it.
    private func remember(_ exchange: CleanExchange) {
        do {
            try memories?.remember(exchange)
        } catch {
            report(.notStored(id: exchange.id, error))
        }
    }

    /// The latest replies of the log; none if it cannot be read, since they only save time.
    private static func quotable(from log: ChatLog, tokenizer: BPETokenizer) -> [Int32] {
        let exchanges = (try? ChatLog.recent(log.url)) ?? []
        let ids = exchanges.flatMap { exchange in
            exchange.messages.filter { $0.role == .assistant }.flatMap {
                tokenizer.encode($0.content, special: .plain)
            }
        }
        return Array(ids.suffix(quotableTokens))
    }
}
