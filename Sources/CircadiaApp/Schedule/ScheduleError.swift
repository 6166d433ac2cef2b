/// What can go wrong while nights are scheduled or a scheduled night is started.
package enum ScheduleError: Error, Sendable, Equatable {
    /// A program of the system is not on the path.
    case toolMissing(name: String)
    /// A program of the system cannot be started; `reason` is the system's.
    case toolNotStarted(path: String, reason: String)
    /// A program of the system failed; `complaint` is its first line, or its exit code.
    case toolFailed(command: String, complaint: String)
    /// The system has no scheduler that could start a night.
    case noScheduler
    /// The folder of a schedule does not exist.
    case folderMissing(path: String)
    /// The environment variable HOME is not set.
    case homeMissing
    /// A word of the command has a line break or a control character, which no schedule can
    /// contain.
    case wordNotSchedulable
    /// The log of scheduled nights cannot be opened; `reason` is the system's.
    case logNotOpened(path: String, reason: String)
    /// The night's process cannot be started; `reason` is the system's.
    case nightNotStarted(reason: String)
}
