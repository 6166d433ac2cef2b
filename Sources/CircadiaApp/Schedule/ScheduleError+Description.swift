import Foundation

extension ScheduleError: CustomStringConvertible {
    /// The message shown to people.
    package var description: String {
        switch self {
        case .toolMissing(let name):
            "\(name) is not on the path"
        case .toolNotStarted(let path, let reason):
            "\(path) cannot be run: \(reason)"
        case .toolFailed(let command, let complaint):
            "\(command): \(complaint)"
        case .noScheduler:
            "this system has no systemd for users, no crontab and no launchd; install cron"
        case .folderMissing(let path):
            "\(path): there is no such folder"
        case .homeMissing:
            "HOME is not set; set it to your home folder"
        case .wordNotSchedulable:
            "a path or flag with a line break or control character cannot be scheduled"
        case .logNotOpened(let path, let reason):
            "\(path): \(reason)"
        case .nightNotStarted(let reason):
            "the night cannot be started: \(reason)"
        }
    }
}

extension ScheduleError: LocalizedError {
    /// The same text as `description`.
    package var errorDescription: String? { description }
}
