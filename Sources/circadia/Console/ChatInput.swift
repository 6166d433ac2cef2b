import CircadiaAnalysis

/// One line typed into a chat: a message or a chat command.
enum ChatInput: Equatable {
    /// A message without surrounding white space; empty if there was nothing else.
    case message(String)
    /// `/good` or `/bad`, and the message after it, if any.
    case mark(ReplyMark, String)
    /// `/help`.
    case help
    /// A word that looks like a command but is unknown.
    case unknown(String)

    /// Reads a line. A command starts at the first character; after a space it is a message.
    init(_ line: String) {
        let text = line.trimmingCharacters(in: .whitespacesAndNewlines)
        guard line.first == "/" else {
            self = .message(text)
            return
        }
        let word = text.prefix { !$0.isWhitespace }
        let rest = text.dropFirst(word.count).trimmingCharacters(in: .whitespacesAndNewlines)
        let name = word.dropFirst().lowercased()
        if let mark = ReplyMark(rawValue: name) {
            self = .mark(mark, rest)
        } else if name == "help" || name == "?" {
            self = .help
        } else if rest.isEmpty, !name.isEmpty, name.allSatisfy({ ("a"..."z").contains($0) }) {
            self = .unknown(String(word))
        } else {
            // For example a path.
            self = .message(text)
        }
    }

    /// The text of `/help`.
    static let helpText = """
        /good        mark the last reply as good: it counts double in training
        /bad         mark the last reply as bad: it is never learnt
        /bad TEXT    the same, and send TEXT: the reply to it counts double
        #no-train    in a message: do not train on this exchange
        #no-rag      in a message: do not add this exchange to the retrieval store
        Ctrl-C       stops a reply
        Ctrl-D       leaves
        """
}
