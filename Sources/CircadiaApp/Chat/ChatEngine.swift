import CircadiaAnalysis
import CircadiaConversation
import CircadiaLog
import CircadiaModel
import CircadiaRetrieval
import CircadiaTokenizer
import Foundation

/// One conversation, from a message to its logged exchange.
///
/// A turn has these steps: split tags from the message → look up memories → generate the reply,
/// piece by piece → redact secrets → append one line to the log, durably → add the exchange to the
/// store. Front ends send messages and show `ChatEvent`s; they never touch log, store or model.
///
/// Use a chat from one thread at a time.
package final class ChatEngine {
    /// The settings of a chat.
    package struct Settings {
        /// The model's name in the log.
        package var modelName: String
        /// The loaded adapter's path in the log; nil without an adapter.
        package var adapterPath: String?
        /// The system message; nil for the template's default.
        package var system: String?
        /// How tokens are sampled. Each reply gets a new seed from `seeds`.
        package var sampling = SamplingOptions()
        /// The seeds of the replies.
        package var seeds = SeedSequence(seed: nil)
        /// Whether the log and the store keep secrets. They never train.
        package var keepsSecrets = false

        /// Makes settings for a model and its loaded adapter.
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
    /// Memories shown to the model in this conversation.
    private var inView: [Memory] = []
    /// The exchange that a mark would change.
    private var last: Exchange?

    /// Tokens of earlier chats that replies may quote.
    private static let quotableTokens = 16384

    /// Starts a conversation.
    ///
    /// - Parameters:
    ///   - model: the model with its adapter.
    ///   - tokenizer: the model's tokenizer.
    ///   - template: the model's chat template.
    ///   - place: the log.
    ///   - memories: retrieval; nil chats without memories.
    ///   - settings: all other settings.
    ///   - report: receives every event, on the thread that calls the engine.
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

    /// Sends a message and gets the reply: one turn.
    ///
    /// When it returns, the exchange is on the disk, or `ChatEvent.notLogged` was reported.
    ///
    /// - Parameters:
    ///   - message: the text that the person typed, with optional `#no-train` or `#no-rag`. Without
    ///     any other text nothing happens.
    ///   - correctsLast: whether the message corrects the last reply.
    ///   - isCancelled: called often while the model works; true ends the reply, and the text so
    ///     far is logged.
    /// - Returns: the exchange as logged; nil if there is none.
    /// - Throws: `ModelError`; the conversation then stays unchanged.
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

    /// Marks the last reply as good or bad, in the log and the store too.
    ///
    /// - Returns: whether the reply was marked; if not, an event reports why.
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

    /// Ends the conversation and tries once more to log exchanges that are not on the disk yet.
    ///
    /// - Throws: `FileError` if logging fails again.
    package func finish() throws { try save() }

    // MARK: Steps of a turn

    /// Looks up memories. A failing store does not end the chat.
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

    /// Tags that name the memories shown for this reply, and earlier ones that the reply repeats.
    private func recalledTags(of reply: ChatReply, found: MemoryLookup.Outcome?) -> [String] {
        let shown = reply.isContextDropped ? [] : found?.block?.shown ?? []
        let repeated = inView.filter { memory in
            !shown.contains { $0.id == memory.id }
                && MemoryEcho.isPresent(of: memory.text, in: reply.text)
        }
        inView += shown.filter { memory in !inView.contains { $0.id == memory.id } }
        return (shown + repeated).map { Exchange.recalledTagPrefix + $0.id }
    }

    /// The exchange as logged: redacted, unless the settings keep secrets.
    private func kept(_ clean: CleanExchange) -> Exchange {
        if !settings.keepsSecrets, !clean.secrets.isEmpty {
            report(.secretsRemoved(Set(clean.secrets)))
        }
        return clean.kept(keepingSecrets: settings.keepsSecrets)
    }

    /// Appends the unsaved exchanges to the log, oldest first.
    private func save() throws {
        while let exchange = unsaved.first {
            let repair = try log.append(exchange)
            unsaved.removeFirst()
            if repair != .none { report(.logRepaired(repair)) }
            report(.logged(exchange))
        }
    }

    /// Adds the exchange to the store. A failing store does not end the chat, since the log has it.
    private func remember(_ exchange: CleanExchange) {
        do {
            try memories?.remember(exchange)
        } catch {
            report(.notStored(id: exchange.id, error))
        }
    }

    /// Tokens of the latest replies of the log; none if it cannot be read, since they only save
    /// time.
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
