import Foundation

/// A time of day in whole minutes, such as 06:30, in local time.
package struct TimeOfDay: Sendable, Hashable {
    /// The hour, 0 to 23.
    package let hour: Int
    /// The minute, 0 to 59.
    package let minute: Int

    /// Reads `6:30` or `06:30`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.count) }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), (0..<24).contains(hour),
            (0..<60).contains(minute)
        else { return nil }
        self.hour = hour
        self.minute = minute
    }

    /// The next moment at this time of day, after `date`.
    package func next(after date: Date, calendar: Calendar = .current) -> Date? {
        calendar.nextDate(
            after: date, matching: DateComponents(hour: hour, minute: minute, second: 0),
            matchingPolicy: .nextTime)
    }

    /// The last moment at this time of day, at or before `date`.
    package func last(until date: Date, calendar: Calendar = .current) -> Date? {
        calendar.nextDate(
            after: date.addingTimeInterval(1),
            matching: DateComponents(hour: hour, minute: minute, second: 0),
            matchingPolicy: .nextTime, direction: .backward)
    }
}

extension TimeOfDay: CustomStringConvertible {
    /// `03:00`.
    package var description: String { String(format: "%02d:%02d", hour, minute) }
}
