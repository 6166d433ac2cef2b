/// One message of a chat.
package struct ChatMessage: Codable, Sendable, Hashable {
    /// Who speaks.
    package enum Role: String, Codable, Sendable, Hashable, CaseIterable {
        /// Instructions from outside the conversation.
        case system
        /// The person.
        case user
        /// The model.
        case assistant
    }

    /// Who speaks.
    package var role: Role
    /// What is said, without control tokens.
    package var content: String

    /// A message.
    package init(role: Role, content: String) {
        self.role = role
        self.content = content
    }
}
