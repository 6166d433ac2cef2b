import Foundation

/// Formats the figures of a report.
enum ReportFormat {
    /// A loss, nats a token.
    static func loss(_ value: Double?) -> String {
        value.map { $0.isFinite ? String(format: "%.3f", $0) : "not finite" } ?? "–"
    }

    /// The change of a figure in percent.
    static func change(_ before: Double?, _ after: Double?) -> String? {
        guard let before, let after, before > 0, after.isFinite else { return nil }
        return String(format: "%+.1f%%", (after / before - 1) * 100)
            .replacingOccurrences(of: "-", with: "−")
    }

    /// A share with its 95% interval.
    static func interval(_ ends: [Double]) -> String {
        guard ends.count == 2 else { return "" }
        return String(format: "%.0f–%.0f%%", ends[0] * 100, ends[1] * 100)
    }

    /// A duration: in seconds below two minutes, otherwise in minutes.
    static func duration(_ seconds: Double?) -> String {
        guard let seconds else { return "–" }
        return seconds < 120
            ? String(format: "%.0f s", seconds) : String(format: "%.1f min", seconds / 60)
    }

    /// An amount of memory.
    static func memory(_ bytes: Int?) -> String {
        guard let bytes else { return "–" }
        return bytes < 1_000_000_000
            ? String(format: "%.0f MB", Double(bytes) / 1e6)
            : String(format: "%.2f GB", Double(bytes) / 1e9)
    }

    /// Day and minute, in local time.
    static func time(_ date: Date?) -> String { format(date, "yyyy-MM-dd HH:mm") }

    /// The day, in local time.
    static func day(_ date: Date?) -> String { format(date, "yyyy-MM-dd") }

    private static func format(_ date: Date?, _ pattern: String) -> String {
        guard let date else { return "–" }
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = pattern
        return formatter.string(from: date)
    }

    /// `1 exchange`, `2 exchanges`.
    static func count(_ number: Int, _ noun: String) -> String {
        number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
    }

    /// The outcome of a night in one word.
    static func outcome(_ accepted: Bool) -> String { accepted ? "promoted" : "rejected" }

    /// “24 pairs for 1 stated preference”; nil if none is stated.
    static func preferences(_ learnt: MorningReport.Learnt) -> String? {
        guard learnt.preferences > 0 else { return nil }
        return "\(count(learnt.preferencePairs, "pair")) for "
            + count(learnt.preferences, "stated preference")
    }
}
