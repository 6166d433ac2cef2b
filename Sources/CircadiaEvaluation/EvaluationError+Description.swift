extension EvaluationError: CustomStringConvertible {
    /// What failed, where, and what to do next.
    package var description: String {
        switch self {
        case .promptsUnreadable(let path, let reason):
            "\(path): the prompts cannot be read: \(reason); give a file of JSON lines"
        case .badPrompt(let path, let line, let field, let reason):
            "\(path), line \(line), \(field): \(reason); the form of a prompt is in "
                + "data/eval/README.md"
        case .noPrompts(let path):
            "\(path): no prompt in it; expected one JSON object a line"
        case .questionBroken(let path, let line):
            "\(path): line \(line) is no question. Expected a JSON object with “question” and, "
                + "for scoring, “evidence”."
        case .nothingToScore(let exchanges):
            "none of the \(exchanges) exchanges holds a reply of the assistant to be scored; "
                + "give a log with replies"
        case .resultNotWritten(let path, let reason):
            "\(path): the results cannot be written: \(reason); check the folder, its rights and "
                + "the disk's space"
        }
    }
}
