import CircadiaConversation

/// Takes secrets out of what is kept.
package enum Redactor {
    /// What stands in a secret's place: `[redacted: API key]`.
    package static func mark(for kind: SecretKind) -> String { markOpening + kind.rawValue + "]" }

    private static let markOpening = "[redacted: "

    /// Whether something was taken out of a text.
    package static func isMarked(_ text: String) -> Bool {
        guard text.contains(markOpening) else { return false }
        return SecretKind.allCases.contains { text.contains(mark(for: $0)) }
    }

    /// The text without its secrets, and what they were, in order.
    package static func redact(_ text: String) -> (text: String, kinds: [SecretKind]) {
        let secrets = SecretDetector.secrets(in: text)
        guard !secrets.isEmpty else { return (text, []) }
        var result = ""
        var position = text.startIndex
        for secret in secrets {
            result += text[position..<secret.range.lowerBound]
            result += mark(for: secret.kind)
            position = secret.range.upperBound
        }
        result += text[position...]
        return (result, secrets.map(\.kind))
    }
}

extension Exchange {
    /// The exchange without secrets, and what they were, in order; system messages are looked
    /// through too.
    func redacted() -> (exchange: Exchange, kinds: [SecretKind]) {
        var copy = self
        var kinds: [SecretKind] = []
        for index in messages.indices {
            let (text, found) = Redactor.redact(messages[index].content)
            guard !found.isEmpty else { continue }
            copy.messages[index] = ChatMessage(role: messages[index].role, content: text)
            kinds += found
        }
        return (copy, kinds)
    }
}
