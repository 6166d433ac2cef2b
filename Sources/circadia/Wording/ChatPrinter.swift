import CircadiaAnalysis
import CircadiaAdapters
import CircadiaApp
import CircadiaModel
import CircadiaNight

/// Shows a chat's events on the terminal: the reply on standard output, remarks on standard error.
final class ChatPrinter {
    private let console: Console
    private let logName: String
    private let showsMemories: Bool
    private let maxTokens: Int
    /// Whether a message followed the mark on the same line.
    var hasTextAfterMark = false

    /// A printer for a chat whose log is `logName`.
    init(console: Console, logName: String, showsMemories: Bool, maxTokens: Int) {
        self.console = console
        self.logName = logName
        self.showsMemories = showsMemories
        self.maxTokens = maxTokens
    }

    /// Shows one event.
    func show(_ event: ChatEvent) {
        switch event {
        case .memories(let found): if showsMemories { MemoryLines.show(found, console: console) }
        case .memoriesFailed(let error): warn(error)
        case .text(let piece): console.stream(piece)
        case .replied(let reply): close(reply)
        case .secretsRemoved(let kinds):
            let names = kinds.map(\.rawValue).sorted().joined(separator: ", ")
            console.note("(redacted: \(names); --keep-secrets keeps secrets)")
        case .logRepaired(let repair):
            if let text = LogReader.remark(on: repair) { console.warn("\(logName): \(text)") }
        case .logged: break
        case .notLogged(let error, let waiting):
            warn(error)
            console.warn(
                "not on the disk yet: \(waiting) exchanges; the chat tries again after the next "
                    + "reply and at its end")
        case .notStored(let id, let error):
            warn(error)
            console.warn(
                "exchange \(id) is in the log but not in the retrieval store; 'circadia rag ingest "
                    + "--all' adds it")
        case .newAdapter(let version): console.note(Self.news(version))
        case .marked(let mark): console.note(remark(mark))
        case .nothingToMark(let mark):
            console.note("(there is no reply yet to mark as \(mark.rawValue))")
        case .markedExchangeGone: console.note("(the exchange is no longer in the log)")
        case .notMarked(let mark, let error):
            warn(error)
            console.warn("the reply was not marked; type /\(mark.rawValue) again")
        case .markNotStored(let error): warn(error)
        }
    }

    private func warn(_ error: any Error) { console.warn(Remedies.message(of: error)) }

    /// Ends the reply's line and notes what was cut.
    private func close(_ reply: ChatReply) {
        console.stream("\n")
        if reply.finishReason == .length {
            console.note("(cut at \(maxTokens) tokens; --max-tokens allows more)")
        }
        if reply.droppedMessages > 0 {
            console.note("(the oldest \(reply.droppedMessages) messages no longer fit)")
        }
        if reply.isMessageCut {
            console.note("(the message is longer than the context: its middle was left out)")
        }
    }

    private func remark(_ mark: ReplyMark) -> String {
        switch (mark, hasTextAfterMark) {
        case (.good, _): "(noted: good; the reply counts double in training; /bad undoes it)"
        case (.bad, false): "(noted: bad; the reply is never learnt; /good undoes it)"
        case (.bad, true): "(noted: bad; the reply is never learnt, the next one counts double)"
        }
    }

    private static func news(_ version: Int?) -> String {
        let name = version.map { " (version \(AdapterVersions.name(of: $0)))" } ?? ""
        return
            "(a new adapter is there\(name): the next chat uses it; this one continues without it)"
    }
}
