import Foundation

/// What can stop a night. Nothing on disk has changed when one of these is thrown, except where
/// `retrieval` memories were ingested before.
public enum SleepError: Error, Sendable, Equatable {
    /// Another sleep holds the lock.
    case alreadySleeping(lock: String)
    /// The lock file cannot be made.
    case lockUnavailable(path: String, reason: String)
    /// The log holds nothing to learn from.
    case nothingToLearn(path: String, exchanges: Int)
    /// Training broke off.
    case trainingFailed(step: Int, reason: String)
    /// A record of the night cannot be written.
    case recordNotWritten(path: String, reason: String)
}
