import CircadiaAdapters
import CircadiaNight
import Foundation

/// A report as one self-contained page, without scripts and without fonts or pictures from
/// elsewhere. Its content security policy forbids loading anything.
package struct ReportPage {
    private let report: MorningReport
    private let names: CommandNames

    /// Makes the page of a report.
    package init(_ report: MorningReport, names: CommandNames) {
        self.report = report
        self.names = names
    }

    /// The page, a whole HTML document.
    package var text: String { html.markup + "\n" }

    private var name: String { AdapterVersions.name(of: report.version) }

    var html: HTMLText {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="referrer" content="no-referrer">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src \
        'unsafe-inline'; img-src data:">
        <link rel="icon" href="data:,">
        <title>Night \(name): \(ReportFormat.outcome(report.accepted))</title>
        <style>\(HTMLText(literal: ReportStyle.css))</style>
        </head>
        <body>
        <main>
        \(header)
        \(sections)
        <footer><p>Written by Circadia \(report.codeVersion ?? "") from \(report.adapter) and the \
        chat log. It is private: it quotes your chats.</p></footer>
        </main>
        </body>
        </html>
        """
    }

    private var header: HTMLText {
        let change = ReportFormat.change(report.heldoutLossBefore, report.heldoutLossAfter)
        let tone = report.accepted ? "good" : "bad"
        return """
            <header>
            <p class="soft">\(ReportFormat.time(report.started)) · \(report.model ?? "")</p>
            <h1>Night \(name): <span class="\(tone)">\(ReportFormat.outcome(report.accepted))\
            </span></h1>
            <p>\(report.verdict)</p>
            \(report.remarks.map { "<p class=\"soft\">\($0)</p>" as HTMLText })
            </header>
            <dl class="figures">
            \(figure("Held-out loss", ReportFormat.loss(report.heldoutLossAfter),
                "from \(ReportFormat.loss(report.heldoutLossBefore))"
                    + (change.map { " (\($0))" } ?? "")))
            \(report.learnt.map {
                figure("Learnt from", ReportFormat.count($0.exchanges, "exchange"),
                    "\($0.heldOut) only measured")
            } ?? .empty)
            \(figure("Time", ReportFormat.duration(report.cost.seconds), "wall clock"))
            \(report.cost.peakBytes.map {
                figure("Memory", ReportFormat.memory($0), "at its peak")
            } ?? .empty)
            </dl>
            """
    }

    private func figure(_ term: String, _ value: String, _ remark: String) -> HTMLText {
        "<div><dt>\(term)</dt><dd>\(value)<small>\(remark)</small></dd></div>"
    }

    private var sections: HTMLText {
        HTMLText(
            joining: [
                report.learnt.map(Self.learnt), curves, answers,
                report.stored.map(stored), report.leftOut.map(Self.leftOut), harness, cost,
                history,
            ].compactMap(\.self))
    }

    private static func section(_ title: String, _ id: String, _ content: HTMLText) -> HTMLText {
        "<section aria-labelledby=\"\(id)\"><h2 id=\"\(id)\">\(title)</h2>\(content)</section>\n"
    }

    // MARK: Exchanges

    private static func learnt(_ learnt: MorningReport.Learnt) -> HTMLText {
        var words = [
            ReportFormat.count(learnt.exchanges, "exchange"),
            ReportFormat.count(learnt.paraphrases, "paraphrase"),
            ReportFormat.count(learnt.generalPairs, "general text") + " against forgetting",
        ]
        if learnt.paraphrases == 0 { words.remove(at: 1) }
        if let wishes = ReportFormat.preferences(learnt) { words.insert(wishes, at: 1) }
        return section(
            "What was learnt", "learnt",
            """
            <p>How you and the model spoke in \(words.joined(separator: ", ")): \
            \(ReportFormat.count(learnt.tokens, "token")) of replies in \
            \(ReportFormat.count(learnt.steps, "step")). \
            \(ReportFormat.count(learnt.heldOut, "exchange")) were only measured. \(learnt.remarks.joined(separator: " "))</p>
            \(list("The latest of them", learnt.latest, isOpen: false))
            """)
    }

    private func stored(_ stored: MorningReport.Stored) -> HTMLText {
        Self.section(
            "What went to the store, and why", "stored",
            """
            <p>\(ReportFormat.count(stored.exchanges, "exchange")) belong to the retrieval store, \
            word for word (<code>\(names.store)</code> fills it); what trains is not changed by that.</p>
            \(Self.counts("Reasons; an exchange may have several", stored.reasons))
            \(Self.list("The latest of them", stored.latest, isOpen: true))
            """)
    }

    private static func leftOut(_ left: MorningReport.LeftOut) -> HTMLText {
        section(
            "What was left out", "left-out",
            left.reasons.isEmpty
                ? "<p>Nothing: no secrets, no tags, no answers from memory, no rejected replies.</p>"
                : """
                \(counts("Exchanges, or secrets in them", left.reasons))
                \(list("The latest of them", left.latest, isOpen: true))
                """)
    }

    private static func counts(_ caption: String, _ counts: [MorningReport.Count]) -> HTMLText {
        counts.isEmpty
            ? .empty
            : """
            <table><caption>\(caption)</caption><thead><tr><th scope="col">Reason</th>\
            <th scope="col" class="number">Exchanges</th></tr></thead><tbody>
            \(counts.map {
                "<tr><th scope=\"row\">\($0.name)</th><td class=\"number\">\($0.count)</td></tr>"
            })
            </tbody></table>
            """
    }

    private static func list(
        _ title: String, _ excerpts: [MorningReport.Excerpt], isOpen: Bool
    ) -> HTMLText {
        let items = excerpts.map { excerpt -> HTMLText in
            let text: HTMLText =
                excerpt.text.map { "“\($0)”" } ?? "<em>no longer in the log</em>"
            let day = excerpt.timestamp.map { ReportFormat.day($0) + ": " } ?? ""
            let reasons = excerpt.reasons.joined(separator: "; ")
            return """
                <li>\(day)\(text)\(reasons.isEmpty
                    ? .empty : " <span class=\"soft\">\(reasons)</span>")</li>
                """
        }
        let open: HTMLText = isOpen ? " open" : ""
        return items.isEmpty
            ? .empty
            : "<details\(open)><summary>\(title)</summary><ul>\(items)</ul></details>"
    }

    // MARK: Figures

    private var curves: HTMLText? {
        let chart = LossChart(training: report.trainingLoss, heldOut: report.heldOutLoss)
        guard let picture = chart.html else { return nil }
        return Self.section(
            "Loss", "loss",
            """
            <p class="key"><span class="training"><i></i>training</span> \
            <span class="heldout"><i></i>held-out conversations</span></p>
            \(picture)
            <p class="soft">\(chart.description)</p>
            """)
    }

    private var answers: HTMLText? {
        guard !report.answers.isEmpty else { return nil }
        let after = report.accepted ? "This morning" : "The rejected candidate"
        return Self.section(
            "Your own questions, before and after", "answers",
            """
            <p class="soft">From conversations that were not trained on; always the likeliest \
            words.</p>
            \(report.answers.map { answer in
                """
                <article class="answer"><h3>\(Quotes.beginning(answer.question))</h3><dl>
                <div><dt>Yesterday evening</dt><dd>\(Self.said(answer.before))</dd></div>
                <div><dt>\(after)</dt><dd>\(Self.said(answer.after))</dd></div>
                </dl></article>

                """ as HTMLText
            })
            """)
    }

    private static func said(_ text: String) -> String {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? "(nothing)" : text
    }

    private var harness: HTMLText {
        guard let harness = report.harness else {
            return Self.section(
                "What it can still do", "harness",
                """
                <p>Not measured in this night: <code>\(names.cycle)</code> and \
                <code>\(names.sleep)</code> without <code>\(names.quickGate)</code> do.</p>
                """)
        }
        let rows = harness.rows.map { row -> HTMLText in
            """
            <tr><th scope="row">\(row.name)</th>\
            <td class="number">\(row.before.passed) → \(row.after.passed) of \(row.after.total)</td>\
            <td class="range">\(Self.range(row))</td>\
            <td class="number">\(ReportFormat.interval(row.after.ci95))</td></tr>

            """
        }
        let test = harness.pValue.map { String(format: "paired test: p %.2f. ", $0) } ?? ""
        return Self.section(
            "What it can still do", "harness",
            """
            <div class="scroll" role="region" aria-labelledby="harness" tabindex="0"><table>
            <caption>Tasks passed: \(harness.baseline) → candidate, with the 95% Wilson interval \
            of each share; \(test)The upper bar is before, the lower after.</caption>
            <thead><tr><th scope="col">Tasks</th><th scope="col" class="number">Passed</th>\
            <th scope="col">0 to 100%</th><th scope="col" class="number">95%</th></tr></thead>
            <tbody>
            \(rows)</tbody></table></div>
            """)
    }

    /// Two intervals, one above the other, with the share as a dot.
    private static func range(_ row: MorningReport.Harness.Row) -> HTMLText {
        func bar(_ score: (rate: Double, ci95: [Double]), _ kind: String, _ y: Int) -> HTMLText {
            guard score.ci95.count == 2 else { return .empty }
            let start = String(format: "%.1f", score.ci95[0] * 100)
            let length = String(format: "%.1f", (score.ci95[1] - score.ci95[0]) * 100)
            return """
                <rect class="track" x="0" y="\(y)" width="100" height="6"/>\
                <rect class="\(kind)" x="\(start)" y="\(y)" width="\(length)" height="6"/>\
                <circle cx="\(String(format: "%.1f", score.rate * 100))" cy="\(y + 3)" r="2.4"/>
                """
        }
        let words =
            "before \(ReportFormat.interval(row.before.ci95)), "
            + "after \(ReportFormat.interval(row.after.ci95))"
        return """
            <svg viewBox="-3 0 106 18" role="img"><title>\(row.name): \(words)</title>\
            \(bar((row.before.rate, row.before.ci95), "before", 1))\
            \(bar((row.after.rate, row.after.ci95), "after", 10))</svg>
            """
    }

    private var cost: HTMLText {
        var rows = [("Whole night", ReportFormat.duration(report.cost.seconds))]
        if let seconds = report.cost.trainingSeconds {
            let forecast = report.cost.forecastSeconds.map {
                " (forecast \(ReportFormat.duration($0)))"
            }
            rows.append(("Training", ReportFormat.duration(seconds) + (forecast ?? "")))
        }
        if let seconds = report.cost.judgingSeconds {
            rows.append(("Judging", ReportFormat.duration(seconds)))
        }
        if let bytes = report.cost.peakBytes {
            let forecast = report.cost.forecastBytes.map {
                " (forecast \(ReportFormat.memory($0)))"
            }
            rows.append(("Memory at its peak", ReportFormat.memory(bytes) + (forecast ?? "")))
        }
        return Self.section(
            "What it cost", "cost",
            """
            <table><caption>Time by the clock, memory of the process</caption><tbody>
            \(rows.map { "<tr><th scope=\"row\">\($0.0)</th><td>\($0.1)</td></tr>" as HTMLText })
            </tbody></table>
            """)
    }

    private var history: HTMLText {
        let rows = report.history.map { night -> HTMLText in
            let state: HTMLText =
                "\(ReportFormat.outcome(night.accepted))\(night.isInUse ? ", in use" : "")"
            let change = ReportFormat.change(night.heldoutLossBefore, night.heldoutLossAfter)
            return """
                <tr><th scope="row">\(AdapterVersions.name(of: night.version))</th>\
                <td>\(ReportFormat.day(night.started))<br>\
                <span class="\(night.accepted ? "good" : "bad")">\(state)</span></td>\
                <td class="number">\(ReportFormat.loss(night.heldoutLossBefore)) → \
                \(ReportFormat.loss(night.heldoutLossAfter))\
                \(change.map { "<br><span class=\"soft\">\($0)</span>" as HTMLText } ?? .empty)</td>\
                <td class="number">\(ReportFormat.duration(night.seconds))</td></tr>

                """
        }
        let shown = report.history.count
        let count =
            shown < report.nightCount
            ? "The latest \(shown) of \(report.nightCount) nights"
            : ReportFormat.count(shown, "night")
        return Self.section(
            "All nights", "history",
            """
            <div class="scroll" role="region" aria-labelledby="history" tabindex="0"><table>
            <caption>\(count); held-out loss in nats a token, each with the \
            conversations held out then</caption>
            <thead><tr><th scope="col">Night</th><th scope="col">Outcome</th>\
            <th scope="col" class="number">Held-out loss</th>\
            <th scope="col" class="number">Time</th></tr></thead><tbody>
            \(rows)</tbody></table></div>
            """)
    }
}

extension HTMLText {
    /// Adds mark-up that is part of the program.
    fileprivate init(literal: String) { self.init(stringLiteral: literal) }

    /// Joins parts.
    fileprivate init(joining parts: [HTMLText]) {
        self.init(stringLiteral: parts.map(\.markup).joined())
    }
}
