import CircadiaAdapters

/// What can stop a night.
///
/// Nothing on disk has changed when one of these is thrown, except where `retrieval` memories were
/// ingested before. The wording is a front end's.
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
    /// A signal ended the night, after so many steps of training; nil before it began. Everything is
    /// kept in `folder`.
    case interrupted(step: Int?, total: Int, folder: String)
    /// No night waits to be resumed.
    case nothingToResume(path: String)
    /// The record of the unfinished night cannot be read.
    case nightUnreadable(path: String)
    /// The resumed night would end with another result than the night that was begun.
    case nightChanged([NightDifference])
    /// A record of the night cannot be written.
    case recordNotWritten(path: String, reason: String)
}

/// Why a night cannot be resumed as it was begun.
package enum NightDifference: Sendable, Equatable {
    /// An option has another value.
    case option(SleepOptions.Key, was: String, now: String)
    /// The model has another fingerprint; it was called `name`.
    case model(name: String)
    /// The instruction set is another one.
    case instructions(was: String, now: String)
    /// So many of its exchanges have left the log or have other content.
    case exchangesGone(Int, of: Int)
    /// So many of its exchanges are barred from training since.
    case exchangesBarred(Int)
    /// The adapter that it continued from cannot be used.
    case origin(AdapterOrigin.Problem)
}
