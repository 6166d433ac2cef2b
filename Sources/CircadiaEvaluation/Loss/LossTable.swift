import Foundation

/// The table of losses, `logs/loss.csv`: one row an exchange, `tag,id,loss,tokens`.
package enum LossTable {
    static let header = "tag,id,loss,tokens\n"

    /// Appends a report's samples under `tag`, and the header where the file is new.
    ///
    /// - Throws: `EvaluationError.resultNotWritten`; the file is then as it was.
    package static func append(
        _ report: LossReport, tag: String, to url: URL
    ) throws(EvaluationError) {
        try ResultFile.append(rows(of: report, tag: tag), header: header, to: url)
    }

    static func rows(of report: LossReport, tag: String) -> String {
        report.samples.map { sample in
            let loss = String(format: "%.6f", sample.loss)
            return "\(field(tag)),\(field(sample.id)),\(loss),\(sample.tokens)\n"
        }.joined()
    }

    /// A field as RFC 4180 wants it: in quotes where it holds a comma, a quote or a line break.
    static func field(_ text: String) -> String {
        // Characters would miss a carriage return that is joined to a line feed.
        let special: Set<Unicode.Scalar> = [",", "\"", "\n", "\r"]
        guard text.unicodeScalars.contains(where: special.contains) else { return text }
        return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}
