import ArgumentParser
import CircadiaApp
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

extension TimeOfDay: ExpressibleByArgument {
    /// A time of day on the command line: `06:30`.
    package init?(argument: String) { self.init(argument) }
}
