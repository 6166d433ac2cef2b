/// What can go wrong when a model is measured.
package enum EvaluationError: Error, Sendable, Equatable {
    /// A file of prompts cannot be read.
    case promptsUnreadable(path: String, reason: String)
    /// A line of a file of prompts is not a prompt; `field` names the place in the line.
    case badPrompt(path: String, line: Int, field: String, reason: String)
    /// A file of prompts holds none.
    case noPrompts(path: String)
    /// A file of questions for retrieval has a broken line.
    case questionBroken(path: String, line: Int)
    /// No exchange has an assistant's token that could be scored.
    case nothingToScore(exchanges: Int)
    /// A result file cannot be written.
    case resultNotWritten(path: String, reason: String)
}
