import CircadiaKernels
import CircadiaNight
import Foundation

/// A night at a time of day: what the system is asked to start.
struct ScheduleEntry: Equatable {
    /// The program's path.
    let program: String
    /// The folder that holds `data/` and `adapters/`; it tells one entry from another.
    let folder: String
    /// When the night begins.
    let time: TimeOfDay
    /// Whether a night is held on battery.
    let runsOnBattery: Bool
    /// Flags of `circadia sleep`.
    let sleepArguments: [String]
    /// Variables that the night needs and that the system does not know.
    let environment: [String: String]

    /// The minute of each hour at which a night that was missed or put off is tried again.
    static let retryMinute = 30

    /// The name of units and labels: of letters, digits and `-`.
    var name: String { Self.name(of: folder) }

    /// The name of the entry of a folder.
    static func name(of folder: String) -> String {
        let digits = String(StableHash.of(folder), radix: 16)
        return "circadia-night-" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The command, word by word.
    var words: [String] {
        [program, "schedule", "run", "--folder", folder, "--at", "\(time)"]
            + (runsOnBattery ? ["--on-battery"] : [])
            + (sleepArguments.isEmpty ? [] : ["--"] + sleepArguments)
    }

    /// Refuses what no table can hold.
    ///
    /// - Throws: `CommandFailure`.
    func check() throws {
        for text in words + environment.values
        where text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            throw CommandFailure(
                "a path or flag with a line break or control character cannot be scheduled")
        }
    }
}

extension TimeOfDay: CustomStringConvertible {
    /// `03:00`.
    var description: String { String(format: "%02d:%02d", hour, minute) }

    /// The last time that the clock showed it, `date` included.
    func last(until date: Date, calendar: Calendar = .current) -> Date? {
        calendar.nextDate(
            after: date.addingTimeInterval(1),
            matching: DateComponents(hour: hour, minute: minute, second: 0),
            matchingPolicy: .nextTime, direction: .backward)
    }
}
