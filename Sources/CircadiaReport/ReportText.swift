import CircadiaAdapters
import CircadiaNight
import Foundation

/// A report as text for a terminal.
package struct ReportText {
    private let report: MorningReport
    private let names: CommandNames

    /// Makes the text of a report.
    package init(_ report: MorningReport, names: CommandNames) {
        self.report = report
        self.names = names
    }

    /// The text, without a newline at its end.
    package var text: String {
        var lines = [
            "Night \(AdapterVersions.name(of: report.version)): "
                + "\(ReportFormat.outcome(report.accepted))  "
                + "(\(ReportFormat.time(report.started)), \(report.model ?? "model not known"))",
            "  " + report.verdict,
        ]
        lines += report.remarks.map { "  " + $0 }
        lines += learnt + curves + answers + stored + leftOut + harness + cost + history
        return lines.map(Self.printable).joined(separator: "\n")
    }

    /// Removes characters that a terminal would interpret as commands.
    static func printable(_ line: String) -> String {
        String(
            String.UnicodeScalarView(
                line.unicodeScalars.filter { $0.properties.generalCategory != .control }))
    }

    private func title(_ text: String) -> [String] { ["", text] }

    private func quote(_ excerpts: [MorningReport.Excerpt]) -> [String] {
        excerpts.prefix(6).map { excerpt in
            let reasons = excerpt.reasons.joined(separator: "; ")
            return "  - \(excerpt.text ?? "(no longer in the log)")"
                + (reasons.isEmpty ? "" : "  [\(reasons)]")
        }
    }

    private var learnt: [String] {
        guard let learnt = report.learnt else { return [] }
        return title("What was learnt")
            + [
                "  \(ReportFormat.count(learnt.exchanges, "exchange")), "
                    + "\(ReportFormat.count(learnt.paraphrases, "paraphrase")), "
                    + (ReportFormat.preferences(learnt).map { $0 + ", " } ?? "")
                    + "\(ReportFormat.count(learnt.generalPairs, "general text")): "
                    + "\(learnt.tokens) tokens of replies in "
                    + "\(ReportFormat.count(learnt.steps, "step")); \(learnt.heldOut) only measured"
            ] + learnt.remarks.map { "  " + $0 } + quote(learnt.latest)
    }

    private var curves: [String] {
        guard report.trainingLoss.count > 1 || report.heldOutLoss.count > 1 else { return [] }
        func line(_ name: String, _ points: [NightDiary.Point]) -> [String] {
            guard let first = points.first, let last = points.last else { return [] }
            return [
                "  \(Self.padded(name, 10))\(ReportFormat.loss(first.loss)) "
                    + "\(Self.sparkline(points.map(\.loss))) \(ReportFormat.loss(last.loss))"
            ]
        }
        return title("Loss") + line("training", report.trainingLoss)
            + line("held out", report.heldOutLoss)
    }

    /// Values as a row of blocks.
    static func sparkline(_ values: [Double], width: Int = 40) -> String {
        let blocks = Array("▁▂▃▄▅▆▇█")
        let count = min(width, values.count)
        let means = (0..<count).map { index in
            let part = values[(values.count * index / count)..<(values.count * (index + 1) / count)]
            return part.reduce(0, +) / Double(part.count)
        }
        guard let low = means.min(), let high = means.max() else { return "" }
        return String(
            means.map { blocks[high > low ? Int((($0 - low) / (high - low) * 7).rounded()) : 0] })
    }

    private var answers: [String] {
        guard !report.answers.isEmpty else { return [] }
        return title("Your own questions, before and after")
            + report.answers.flatMap { answer in
                [
                    "  " + Quotes.beginning(answer.question),
                    "    before: " + Self.oneLine(answer.before),
                    "    after:  " + Self.oneLine(answer.after),
                ]
            }
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private func counts(_ counts: [MorningReport.Count]) -> [String] {
        counts.map { "  \(Self.padded(String($0.count), 6))\($0.name)" }
    }

    private var stored: [String] {
        guard let stored = report.stored else { return [] }
        return title("What went to the store, and why")
            + ["  \(ReportFormat.count(stored.exchanges, "exchange")) (\(names.store) fills it)"]
            + counts(stored.reasons) + quote(stored.latest)
    }

    private var leftOut: [String] {
        guard let left = report.leftOut else { return [] }
        return title("What was left out")
            + (left.reasons.isEmpty ? ["  nothing"] : counts(left.reasons) + quote(left.latest))
    }

    private var harness: [String] {
        guard let harness = report.harness else { return [] }
        return title(
            "Harness, \(harness.baseline) → candidate, 95% intervals"
                + (harness.pValue.map { String(format: " (paired test: p %.2f)", $0) } ?? ""))
            + harness.rows.map { row in
                "  \(Self.padded(row.name, 16))"
                    + Self.padded(
                        "\(row.before.passed) → \(row.after.passed) of \(row.after.total)", 16)
                    + ReportFormat.interval(row.before.ci95) + " → "
                    + ReportFormat.interval(row.after.ci95)
            }
    }

    private var cost: [String] {
        let peak = report.cost.peakBytes.map { ", \(ReportFormat.memory($0)) at its peak" }
        return title("What it cost") + [
            "  \(ReportFormat.duration(report.cost.seconds))" + (peak ?? "")
        ]
    }

    private var history: [String] {
        title("All nights")
            + report.history.prefix(14).map { night in
                "  \(night.isInUse ? "*" : " ") \(AdapterVersions.name(of: night.version))  "
                    + "\(ReportFormat.day(night.started))  "
                    + Self.padded(ReportFormat.outcome(night.accepted), 10)
                    + "\(ReportFormat.loss(night.heldoutLossBefore)) → "
                    + "\(ReportFormat.loss(night.heldoutLossAfter))  "
                    + ReportFormat.duration(night.seconds)
            }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
