import CircadiaAnalysis

/// What a person typed into a chat: something to say, or a command.
enum ChatInput: Equatable {
    /// Something to say, without white space around it; empty where there was nothing else.
    case message(String)
    /// `/good` or `/bad`, and what comes after it, which is said next.
    case mark(ReplyMark, String)
    /// `/help`.
    case help
    /// A word that looks like a command and is none.
    case unknown(String)

    /// Reads a line. A command begins it; with a blank before it, it is a message.
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
            // Such as a path.
            self = .message(text)
        }
    }

    /// What `/help` shows.
    static let helpText = """
        /good        the last reply was good: it counts double in the night
        /bad         it was not: it is never learnt
        /bad TEXT    the same, and TEXT is said next: the reply to it counts double instead
        #no-train    in a message: this exchange does not train
        #no-rag      in a message: it does not go to the retrieval store
        Ctrl-C       stops a reply
        Ctrl-D       leaves
        """
}
