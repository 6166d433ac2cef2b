import CircadiaNight
import Foundation

/// An inline SVG picture of loss over steps: training as a line, held-out conversations as a line
/// with dots.
struct LossChart {
    let training: [NightDiary.Point]
    let heldOut: [NightDiary.Point]

    private let width = 640.0
    private let height = 280.0
    private let left = 64.0
    private let right = 12.0
    private let top = 12.0
    private let bottom = 36.0

    private var all: [NightDiary.Point] { training + heldOut }

    /// The picture; nil if there are not two points to connect.
    var html: HTMLText? {
        guard all.count > 1, let lastStep = all.map(\.step).max(), lastStep > 0 else { return nil }
        let ticks = Self.ticks(all.map(\.loss))
        guard let low = ticks.first, let high = ticks.last else { return nil }
        func x(_ step: Int) -> Double {
            left + Double(step) / Double(lastStep) * (width - left - right)
        }
        func y(_ loss: Double) -> Double {
            top + (high - loss) / (high - low) * (height - top - bottom)
        }
        func path(_ points: [NightDiary.Point]) -> String {
            points.map { Self.number(x($0.step)) + "," + Self.number(y($0.loss)) }
                .joined(separator: " ")
        }
        let grid = ticks.map { tick -> HTMLText in
            let place = Self.number(y(tick))
            let label = String(format: high - low < 0.1 ? "%.3f" : "%.2f", tick)
            return """
                <line class="grid" x1="\(Self.number(left))" x2="\(Self.number(width - right))" \
                y1="\(place)" y2="\(place)"/><text x="\(Self.number(left - 8))" y="\(place)" \
                dy="0.35em" text-anchor="end">\(label)</text>
                """
        }
        let steps = Set([0, lastStep / 2, lastStep]).sorted().map { step -> HTMLText in
            let anchor = step == 0 ? "start" : step == lastStep ? "end" : "middle"
            return """
                <text x="\(Self.number(x(step)))" y="\(Self.number(height - bottom + 22))" \
                text-anchor="\(anchor)">\(step == 0 ? "step 0" : "\(step)")</text>
                """
        }
        let dots = heldOut.map { point -> HTMLText in
            """
            <circle class="heldout" cx="\(Self.number(x(point.step)))" \
            cy="\(Self.number(y(point.loss)))" r="4"/>
            """
        }
        return """
            <svg class="chart" viewBox="0 0 \(Int(width)) \(Int(height))" role="img" \
            aria-labelledby="loss-title loss-description">
            <title id="loss-title">Loss over the night’s steps</title>
            <desc id="loss-description">\(description)</desc>
            \(grid)\(steps)
            <polyline class="training raw" points="\(path(training))"/>
            <polyline class="training" points="\(path(smoothed))"/>
            <polyline class="heldout" points="\(path(heldOut))"/>\(dots)
            </svg>
            """
    }

    /// The training loss, smoothed by means over an eighth of the steps.
    var smoothed: [NightDiary.Point] {
        let reach = max(1, training.count / 16)
        return training.indices.map { index in
            let near = training[max(0, index - reach)...min(training.count - 1, index + reach)]
            return NightDiary.Point(
                step: training[index].step,
                loss: near.reduce(0) { $0 + $1.loss } / Double(near.count))
        }
    }

    /// The curves in words.
    var description: String {
        func words(_ name: String, _ points: [NightDiary.Point]) -> String? {
            guard let first = points.first, let last = points.last else { return nil }
            return "\(name): \(ReportFormat.loss(first.loss)) at step \(first.step), "
                + "\(ReportFormat.loss(last.loss)) at step \(last.step)."
        }
        return [words("Training (smoothed)", smoothed), words("Held-out conversations", heldOut)]
            .compactMap(\.self).joined(separator: " ") + " Nats a token; lower is better."
    }

    /// Round axis values from below the smallest loss to above the largest.
    static func ticks(_ values: [Double]) -> [Double] {
        guard let low = values.min(), let high = values.max() else { return [] }
        let span = max(high - low, max(abs(high) * 0.02, 1e-3))
        let rough = span / 4
        let power = pow(10, floor(log10(rough)))
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? rough
        let first = floor(low / step)
        let last = max(first + 1, ceil(high / step))
        return stride(from: first, through: last, by: 1).map { $0 * step }
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
