extension SleepError: CustomStringConvertible {
    /// The message shown to people.
    package var description: String {
        switch self {
        case .alreadySleeping(let lock):
            "another sleep is running (it holds \(lock)); wait until it has ended"
        case .lockUnavailable(let path, let reason):
            "\(path): the lock cannot be taken: \(reason); check that the folder can be written to"
        case .nothingToLearn(let path, let exchanges):
            "\(path): \(exchanges) exchanges, none with an assistant's reply to learn from; "
                + "chat first ('circadia chat'), then sleep"
        case .nothingNew(let path):
            "\(path): the adapter has learnt every exchange; chat first, rehearse with --replay-share "
                + "above 0, or begin anew with --reset-adapter"
        case .nothingDue(let path):
            "\(path): nothing new was said and nothing is due for rehearsal: the adapter stays as it is"
        case .trainingFailed(let step, let reason):
            "training stopped at step \(step): \(reason); yesterday's adapter is untouched"
        case .interrupted(let step, let total, let folder):
            (step.map { "interrupted after step \($0) of \(total): " }
                ?? "interrupted before training began: ")
                + "the night is kept in \(folder) and goes on with the same options and --resume; "
                + "yesterday's adapter is untouched"
        case .nothingToResume(let path):
            "\(path): no night waits to go on: the last one ended by itself, or none was begun; "
                + "sleep without --resume"
        case .nightUnreadable(let path):
            "\(path): the unfinished night cannot be read, or another version of circadia wrote it; "
                + "sleep without --resume to begin anew"
        case .nightChanged(let differences):
            "the unfinished night cannot go on as it was begun: "
                + differences.joined(separator: "; ")
                + ". Give the options it was begun with, or sleep without --resume to begin anew"
        case .recordNotWritten(let path, let reason):
            "\(path): cannot be written: \(reason)"
        }
    }
}
