import CircadiaAdapters

/// The reasons that can stop a night.
///
/// When one of these is thrown, nothing on disk has changed, except that memories may have been
/// added to the retrieval store before. The front end provides the wording.
package enum SleepError: Error, Sendable, Equatable {
    /// Another sleep holds the lock.
    case alreadySleeping(lock: String)
    /// The lock file cannot be made.
    case lockUnavailable(path: String, reason: String)
    /// The log holds nothing to learn from.
    case nothingToLearn(path: String, exchanges: Int)
    /// Every exchange of the log was learnt, and the options rehearse none.
    case nothingNew(path: String)
    /// Nothing is new and nothing is due for rehearsal, and the request was `onlyIfDue`.
    case nothingDue(path: String)
    /// A signal ended the night after `step` steps of training, nil before the first. `folder`
    /// keeps the night.
    case interrupted(step: Int?, total: Int, folder: String)
    /// No night waits to be resumed.
    case nothingToResume(path: String)
    /// The record of the unfinished night cannot be read.
    case nightUnreadable(path: String)
    /// The resumed night would have another result than the night that was begun.
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
    /// This many of its exchanges have left the log or have other content.
    case exchangesGone(Int, of: Int)
    /// This many of its exchanges have been barred from training since.
    case exchangesBarred(Int)
    /// The adapter that it continued from cannot be used.
    case origin(AdapterOrigin.Problem)
}
