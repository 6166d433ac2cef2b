import CircadiaAnalysis
import Foundation

/// Converts imperial quantities in a text to metric ones.
package enum UnitConversion {
    /// An imperial unit with the number before it, the metric unit, and the conversion: `value ·
    /// factor + offset`.
    private static let units:
        [(pattern: TextPattern, unit: String, factor: Double, offset: Double)] = [
            (#"(?:miles per hour|mph)"#, "km/h", 1.609344, 0),
            (#"miles?"#, "kilometres", 1.609344, 0),
            (#"(?:feet|foot|ft)"#, "metres", 0.3048, 0), (#"yards?"#, "metres", 0.9144, 0),
            (#"inch(?:es)?"#, "centimetres", 2.54, 0),
            (#"(?:pounds?|lbs?)"#, "kilograms", 0.45359237, 0),
            (#"(?:ounces?|oz)"#, "grams", 28.349523, 0), (#"gallons?"#, "litres", 3.785412, 0),
            (#"cups?"#, "millilitres", 236.588, 0),
            (#"(?:°\s*F|degrees Fahrenheit|Fahrenheit)"#, "°C", 5.0 / 9, -160.0 / 9),
        ].map { name, unit, factor, offset in
            let number = #"(\d[\d,]*(?:\.\d+)?)"#
            let pattern = number + #"(?:\s*(?:-|–|to|and)\s*"# + number + #")?[\s-]*"# + name
            return (
                TextPattern(pattern + #"(?![\p{L}])"#, ignoringCase: true), unit, factor, offset
            )
        }

    /// Converts each number before an imperial unit. The result has two significant digits, or
    /// three if the original has more than two.
    package static func metric(_ text: String) -> String {
        guard text.contains(where: \.isNumber) else { return text }
        var text = text
        for unit in units {
            guard let expression = unit.pattern.expression else { continue }
            let range = NSRange(location: 0, length: text.utf16.count)
            for match in expression.matches(in: text, range: range).reversed() {
                guard let whole = Range(match.range, in: text),
                    let first = Range(match.range(at: 1), in: text)
                else { continue }
                func converted(_ range: Range<String.Index>) -> String? {
                    let digits = text[range].filter { $0 != "," }
                    return Double(digits).map {
                        rounded($0 * unit.factor + unit.offset, like: digits)
                    }
                }
                guard var result = converted(first) else { continue }
                if let second = Range(match.range(at: 2), in: text) {
                    guard let end = converted(second) else { continue }
                    result += " to " + end
                }
                text.replaceSubrange(whole, with: result + " " + unit.unit)
            }
        }
        return text
    }

    private static func rounded(_ value: Double, like digits: String) -> String {
        let significant = digits.filter(\.isNumber).drop { $0 == "0" }.count > 2 ? 3 : 2
        guard value != 0 else { return "0" }
        let places = significant - 1 - Int(floor(log10(abs(value))))
        let step = pow(10.0, Double(-places))
        let number = (value / step).rounded() * step
        return String(format: "%.\(max(0, places))f", number)
    }
}
