import Foundation

/// What can stop a night. Nothing on disk has changed when one of these is thrown, except where
/// `retrieval` memories were ingested before.
package enum SleepError: Error, Sendable, Equatable {
    /// Another sleep holds the lock.
    case alreadySleeping(lock: String)
    /// The lock file cannot be made.
    case lockUnavailable(path: String, reason: String)
    /// The log holds nothing to learn from.
    case nothingToLearn(path: String, exchanges: Int)
    /// All that the log holds was learnt, and nothing is to be rehearsed.
    case nothingNew(path: String)
    /// Nothing is new, and nothing is due for rehearsal: no night was wanted then.
    case nothingDue(path: String)
    /// Training broke off.
    case trainingFailed(step: Int, reason: String)
    /// A signal ended the night, after so many steps of training; nil before it began. Everything is
    /// kept in `folder`.
    case interrupted(step: Int?, total: Int, folder: String)
    /// No night waits to go on.
    case nothingToResume(path: String)
    /// What is kept of a night cannot be read.
    case nightUnreadable(path: String)
    /// Going on would end with another result than the night that was begun; says what differs.
    case nightChanged([String])
    /// A record of the night cannot be written.
    case recordNotWritten(path: String, reason: String)
}
