/// What a person may write into a message about the message: `#no-train` keeps the exchange out of
/// training, `#no-rag` out of the retrieval store.
package enum ChatTags {
    /// The tags that are understood, without the leading `#`.
    package static let known = [Exchange.noTrainTag, Exchange.noRetrievalTag]

    /// Takes the tags out of a message.
    ///
    /// A tag counts where it stands as a word of its own, outside code that is fenced or in
    /// backticks.
    ///
    /// - Parameter message: what a person typed.
    /// - Returns: the message without them, and the tags without `#`, each once.
    package static func split(_ message: String) -> (text: String, tags: [String]) {
        var tags: [String] = []
        var text = ""
        var isCode = false
        var word = ""
        func take() {
            defer { word = "" }
            let bare = word.trimmingSuffix(while: { ".,;:!?)".contains($0) })
            if !isCode, bare.first == "#", known.contains(bare.dropFirst().lowercased()) {
                let tag = bare.dropFirst().lowercased()
                if !tags.contains(tag) { tags.append(tag) }
                // The blank before it goes too.
                if text.last == " " { text.removeLast() }
                text += word.dropFirst(bare.count)
            } else {
                text += word
                if word.split(separator: "`", omittingEmptySubsequences: false).count % 2 == 0 {
                    isCode.toggle()
                }
            }
        }
        for character in message {
            if character.isWhitespace {
                take()
                text.append(character)
            } else {
                word.append(character)
            }
        }
        take()
        guard !tags.isEmpty else { return (message, []) }
        return (
            text.trimmingPrefix(while: \.isWhitespace).trimmingSuffix(while: \.isWhitespace), tags
        )
    }

    /// The tags in what people said in an exchange.
    package static func found(in exchange: Exchange) -> [String] {
        exchange.messages.filter { $0.role == .user && $0.content.contains("#no-") }
            .flatMap { split($0.content).tags }
    }
}

extension StringProtocol {
    fileprivate func trimmingSuffix(while accepts: (Character) -> Bool) -> String {
        var end = endIndex
        while end > startIndex, accepts(self[index(before: end)]) { end = index(before: end) }
        return String(self[..<end])
    }

    fileprivate func trimmingPrefix(while accepts: (Character) -> Bool) -> String {
        String(drop(while: accepts))
    }
}
