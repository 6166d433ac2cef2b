import CircadiaNight
import Foundation

/// The command that the system starts at a time of day, to run a night.
package struct ScheduleEntry: Sendable, Equatable {
    /// The command that the system starts, word by word.
    package let command: [String]
    /// The folder that contains `data/` and `adapters/`. Each folder has one entry.
    package let folder: String
    /// When the night begins.
    package let time: TimeOfDay
    /// Environment variables that the system must set for the night.
    package let environment: [String: String]
    /// A line for people that says who made the entry and how to remove it.
    package let remark: String

    /// The minute of each hour at which a missed or put-off night is tried again.
    static let retryMinute = 30

    /// Makes an entry for a folder.
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

    /// The name of the entry, for units and labels: letters, digits and `-`.
    package var name: String { Self.name(of: folder) }

    /// The name of the entry of a folder.
    package static func name(of folder: String) -> String {
        let digits = String(StableHash.of(folder), radix: 16)
        return "circadia-night-" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Checks that the entry can be written to a crontab, unit or property list.
    ///
    /// - Throws: `ScheduleError.wordNotSchedulable` if a word has a line break or a control
    ///   character.
    package func check() throws(ScheduleError) {
        for text in command + environment.values
        where text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            throw .wordNotSchedulable
        }
    }
}
