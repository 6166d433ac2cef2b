import CircadiaAdapters
import CircadiaApp
import CircadiaNight
import Foundation

/// What a scheduled start says, in its log and on the terminal.
enum ScheduleWording {
    /// A line of the log.
    static func line(_ event: ScheduledNight.Event) -> String {
        switch event {
        case .putOff(let obstacle): "put off: " + reason(obstacle)
        case .begins: "a night begins"
        case .mayFallAsleep: "the machine may fall asleep: nothing here keeps it awake"
        case .onBattery: "the machine runs on battery now"
        case .askedToEnd: "asked to end"
        case .ended(let outcome): summary(outcome)
        }
    }

    /// What a start came to, in one line.
    static func summary(_ outcome: ScheduledNight.Outcome) -> String {
        switch outcome {
        case .notDue: "no night is due"
        case .alreadyRunning: "a scheduled night is running"
        case .putOff(let obstacle): "put off: " + reason(obstacle)
        case .held(let version, let verdict, _, let seconds):
            "night \(AdapterVersions.name(of: version)): \(verdict) "
                + "(\(minutes(seconds)); report: logs/report.html)"
        case .nothingToLearn: "no night: nothing new was said, and nothing is due"
        case .interrupted: "night interrupted; it goes on later"
        case .failed(let status, let seconds):
            "no night: exit code \(status) after \(minutes(seconds)); see logs/schedule.log"
        }
    }

    /// Whether a person who started the night, or cron's mail, is told of the outcome.
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
