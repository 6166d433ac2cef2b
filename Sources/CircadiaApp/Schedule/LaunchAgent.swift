import Foundation

/// The property list of a launchd agent (launchd.plist(5)).
package struct LaunchAgent: Encodable {
    /// The agent's label, which is also its file's name.
    package static func label(_ name: String) -> String { "io.circadia.\(name)" }

    private struct CalendarInterval: Encodable {
        var hour: Int?
        let minute: Int

        enum CodingKeys: String, CodingKey {
            case hour = "Hour"
            case minute = "Minute"
        }
    }

    private let label: String
    private let programArguments: [String]
    private let environmentVariables: [String: String]
    private let startCalendarInterval: [CalendarInterval]
    private let processType = "Background"
    private let lowPriorityIO = true
    private let nice = 10
    /// Seconds from SIGTERM to SIGKILL.
    private let exitTimeOut = 120

    enum CodingKeys: String, CodingKey {
        case label = "Label"
        case programArguments = "ProgramArguments"
        case environmentVariables = "EnvironmentVariables"
        case startCalendarInterval = "StartCalendarInterval"
        case processType = "ProcessType"
        case lowPriorityIO = "LowPriorityIO"
        case nice = "Nice"
        case exitTimeOut = "ExitTimeOut"
    }

    /// Makes the agent of an entry. launchd starts a job that the machine slept through when it
    /// wakes; the start every half hour runs a night that was missed while the machine was off.
    package init(_ entry: ScheduleEntry) {
        label = Self.label(entry.name)
        programArguments = entry.command
        environmentVariables = entry.environment
        startCalendarInterval = [
            CalendarInterval(hour: entry.time.hour, minute: entry.time.minute),
            CalendarInterval(minute: ScheduleEntry.retryMinute),
        ]
    }

    /// The property list, in XML.
    ///
    /// - Throws: errors of the encoder.
    package func plist() throws -> String {
        let encoder = PropertyListEncoder()
        encoder.outputFormat = .xml
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
