import CircadiaAdapters
import CircadiaApp
import CircadiaNight
import Foundation

/// Messages of a scheduled start, for its log and the terminal.
enum ScheduleWording {
    /// A line of the log.
    static func line(_ event: ScheduledNight.Event) -> String {
        switch event {
        case .putOff(let obstacle): "put off: " + reason(obstacle)
        case .begins: "a night begins"
        case .mayFallAsleep:
            "the machine may fall asleep during the night: no tool to keep it awake was found"
        case .onBattery: "the machine runs on battery now"
        case .askedToEnd: "a signal asked the night to end"
        case .ended(let outcome): summary(outcome)
        }
    }

    /// The outcome of a start, in one line.
    static func summary(_ outcome: ScheduledNight.Outcome) -> String {
        switch outcome {
        case .notDue: "no night is due"
        case .alreadyRunning: "a scheduled night is running"
        case .putOff(let obstacle): "put off: " + reason(obstacle)
        case .held(let version, let verdict, _, let seconds):
            "night \(AdapterVersions.name(of: version)): \(verdict) "
                + "(\(minutes(seconds)); report: logs/report.html)"
        case .nothingToLearn: "no night: there are no new exchanges, and nothing is due"
        case .interrupted: "night interrupted; it resumes later"
        case .failed(let status, let seconds):
            "no night: exit code \(status) after \(minutes(seconds)); see logs/schedule.log"
        }
    }

    /// Whether to print the outcome, for the person who started the night or for cron's mail.
    static func isTold(_ outcome: ScheduledNight.Outcome, isForced: Bool) -> Bool {
        switch outcome {
        case .notDue: false
        case .alreadyRunning, .putOff: isForced
        case .held, .nothingToLearn, .interrupted, .failed: true
        }
    }

    private static func reason(_ obstacle: ScheduledNight.Obstacle) -> String {
        switch obstacle {
        case .battery: "the machine runs on battery"
        case .chat: "a chat is in use"
        case .otherNight: "another sleep is running"
        }
    }

    private static func minutes(_ seconds: Double) -> String {
        String(format: "%.1f min", seconds / 60)
    }
}
