import ArgumentParser
import Foundation

/// An amount of memory on the command line: `800MB`, `2GB`, `1.5GiB`.
struct ByteSize: ExpressibleByArgument, Equatable {
    let bytes: Int

    private static let units: [(String, Double)] = [
        ("kib", 1024), ("mib", 1_048_576), ("gib", 1_073_741_824), ("tib", 1_099_511_627_776),
        ("kb", 1e3), ("mb", 1e6), ("gb", 1e9), ("tb", 1e12), ("k", 1e3), ("m", 1e6), ("g", 1e9),
        ("t", 1e12), ("b", 1), ("", 1),
    ]

    init?(argument: String) {
        let text = argument.lowercased().filter { $0 != " " }
        guard let (unit, factor) = Self.units.first(where: { text.hasSuffix($0.0) }),
            let number = Double(text.dropLast(unit.count)), number > 0, number * factor < 1e15
        else { return nil }
        bytes = Int(number * factor)
    }
}

/// A time of day on the command line: `06:30`.
struct TimeOfDay: ExpressibleByArgument, Equatable {
    let hour: Int
    let minute: Int

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.count) }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), (0..<24).contains(hour),
            (0..<60).contains(minute)
        else { return nil }
        self.hour = hour
        self.minute = minute
    }

    /// The next time that the clock shows it: today, or tomorrow where it has passed.
    func next(after date: Date, calendar: Calendar = .current) -> Date? {
        calendar.nextDate(
            after: date, matching: DateComponents(hour: hour, minute: minute, second: 0),
            matchingPolicy: .nextTime)
    }
}
