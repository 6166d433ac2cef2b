import Foundation

/// The text of a person's crontab. Only the lines between an entry's begin and end marks change.
package struct CronTable: Sendable, Equatable {
    /// The whole text.
    package private(set) var text: String

    /// Makes a table from its text.
    package init(_ text: String) { self.text = text }

    private static func begin(_ name: String) -> String { "# begin \(name): made by circadia" }
    private static func end(_ name: String) -> String { "# end \(name)" }

    /// Whether the table has an entry of that name.
    package func contains(_ name: String) -> Bool { !lines(of: name).isEmpty }

    /// The entry's lines without its marks.
    package func lines(of name: String) -> [String] {
        let lines = text.components(separatedBy: "\n")
        guard let range = Self.range(of: name, in: lines) else { return [] }
        return Array(lines[range].dropFirst().dropLast())
    }

    private static func range(of name: String, in lines: [String]) -> ClosedRange<Int>? {
        guard let first = lines.firstIndex(of: begin(name)),
            let last = lines[first...].firstIndex(of: end(name))
        else { return nil }
        return first...last
    }

    /// Removes the entry, if it is there.
    package mutating func remove(_ name: String) {
        var lines = text.components(separatedBy: "\n")
        while let range = Self.range(of: name, in: lines) { lines.removeSubrange(range) }
        text = lines.joined(separator: "\n")
    }

    /// Adds the entry, replacing one of the same name.
    package mutating func install(_ entry: ScheduleEntry) {
        remove(entry.name)
        if !text.isEmpty, !text.hasSuffix("\n") { text += "\n" }
        let command = Self.command(entry)
        text +=
            [
                Self.begin(entry.name),
                "\(entry.time.minute) \(entry.time.hour) * * * \(command)",
                "# Runs a night that was missed or put off:",
                "\(ScheduleEntry.retryMinute) * * * * \(command)", Self.end(entry.name),
            ].joined(separator: "\n") + "\n"
    }

    /// The entry's command, quoted for cron's shell.
    static func command(_ entry: ScheduleEntry) -> String {
        let variables = entry.environment.sorted { $0.key < $1.key }
            .map { "\($0.key)=\(quoted($0.value))" }
        return (variables + entry.command.map(quoted)).joined(separator: " ")
    }

    /// Quotes a word for `sh` in a line of cron.
    ///
    /// Cron turns a bare `%` into a line break and removes the backslash of `\%` before the shell
    /// sees the line, inside quotes too. Each `%` is therefore written as `''\%`: closing and
    /// reopening the quotes separates its backslash from one that the word has before it.
    static func quoted(_ word: String) -> String {
        let plain = word.unicodeScalars.allSatisfy {
            $0.isASCII
                && ($0.properties.isAlphabetic || "0123456789_-./:=,+@".unicodeScalars.contains($0))
        }
        if plain, !word.isEmpty { return word }
        return "'"
            + word.replacingOccurrences(of: "'", with: #"'\''"#)
            .replacingOccurrences(of: "%", with: #"''\%"#) + "'"
    }
}
