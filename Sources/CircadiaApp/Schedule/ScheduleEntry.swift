import CircadiaNight
import Foundation

/// A night at a time of day: what the system is asked to start.
package struct ScheduleEntry: Sendable, Equatable {
    /// The command that the system starts, word by word.
    package let command: [String]
    /// The folder that holds `data/` and `adapters/`; it tells one entry from another.
    package let folder: String
    /// When the night begins.
    package let time: TimeOfDay
    /// Variables that the night needs and that the system does not know.
    package let environment: [String: String]
    /// A line for people that says who made the entry and how to remove it.
    package let remark: String

    /// The minute of each hour at which a night that was missed or put off is tried again.
    static let retryMinute = 30

    /// An entry for a folder.
    package init(
        command: [String], folder: String, time: TimeOfDay, environment: [String: String],
        remark: String
    ) {
        self.command = command
        self.folder = folder
        self.time = time
        self.environment = environment
        self.remark = remark
    }

    /// The name of units and labels: letters, digits and `-`.
    package var name: String { Self.name(of: folder) }

    /// The name of the entry of a folder.
    package static func name(of folder: String) -> String {
        let digits = String(StableHash.of(folder), radix: 16)
        return "circadia-night-" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Refuses what no table can hold.
    ///
    /// - Throws: `ScheduleError.wordNotSchedulable`.
    package func check() throws(ScheduleError) {
        for text in command + environment.values
        where text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            throw .wordNotSchedulable
        }
    }
}
