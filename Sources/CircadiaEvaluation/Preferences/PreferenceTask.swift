import CircadiaConversation
import Foundation

/// A preference that a person states, with questions whose answers show whether it is followed.
package struct PreferenceTask: Sendable, Equatable, Codable {
    /// Names the preference; unique in its file.
    package let id: String
    /// What it is about, such as `length` or `units`.
    package let kind: String
    /// What the person says.
    package let statement: String
    /// What a reply that follows it looks like.
    package let shows: PreferenceScorer
    /// Questions that no night trains on.
    package let questions: [String]

    /// Makes a task.
    package init(
        id: String, kind: String, statement: String, shows: PreferenceScorer, questions: [String]
    ) {
        self.id = id
        self.kind = kind
        self.statement = statement
        self.shows = shows
        self.questions = questions
    }

    /// Where a question finds the preference.
    package enum Prompt: String, Sendable, Codable, CaseIterable {
        /// Nowhere: only what was trained can show it.
        case absent
        /// In a system message.
        case system
        /// In an earlier turn of the same chat, to which the model replied in its own words.
        case chat
    }

    /// The system message that tells a model of preferences; `statements` is not empty.
    package static func systemMessage(_ statements: [String]) -> ChatMessage {
        ChatMessage(
            role: .system,
            content: "You are a helpful assistant. This is how the user wants every answer to be: "
                + statements.joined(separator: " "))
    }

    /// Reads a file of preferences, one JSON object a line.
    ///
    /// - Throws: `EvaluationError.promptsUnreadable`, `.badPrompt` with the line, `.noPrompts`.
    package static func load(_ url: URL) throws(EvaluationError) -> [PreferenceTask] {
        guard let data = try? Data(contentsOf: url) else {
            throw .promptsUnreadable(path: url.path, reason: "no such file, or reading it failed")
        }
        var tasks: [PreferenceTask] = []
        let pieces = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, piece) in pieces.enumerated() where !piece.isEmpty {
            func bad(_ field: String, _ reason: String) -> EvaluationError {
                .badPrompt(path: url.path, line: index + 1, field: field, reason: reason)
            }
            guard let task = try? JSONDecoder().decode(PreferenceTask.self, from: Data(piece))
            else {
                throw bad(
                    "the line", "expected an object with id, kind, statement, shows and questions")
            }
            if task.questions.isEmpty { throw bad("questions", "there are none") }
            if !task.shows.isValid {
                throw bad("shows", "it is empty, or a pattern is no regular expression")
            }
            if tasks.contains(where: { $0.id == task.id }) {
                throw bad("id", "'\(task.id)' is there twice")
            }
            tasks.append(task)
        }
        if tasks.isEmpty { throw .noPrompts(path: url.path) }
        return tasks
    }
}
