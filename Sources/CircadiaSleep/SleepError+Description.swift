extension SleepError: CustomStringConvertible {
    /// The message shown to people.
    public var description: String {
        switch self {
        case .alreadySleeping(let lock):
            "another sleep is running (it holds \(lock)); wait until it has ended"
        case .lockUnavailable(let path, let reason):
            "\(path): the lock cannot be taken: \(reason); check that the folder can be written to"
        case .nothingToLearn(let path, let exchanges):
            "\(path): \(exchanges) exchanges, none with an assistant's reply to learn from; "
                + "chat first ('circadia chat'), then sleep"
        case .trainingFailed(let step, let reason):
            "training stopped at step \(step): \(reason); yesterday's adapter is untouched"
        case .recordNotWritten(let path, let reason):
            "\(path): cannot be written: \(reason)"
        }
    }
}
