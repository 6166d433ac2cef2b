import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaEvaluation
import CircadiaNight
import Foundation

extension MorningReport {
    /// Gathers the report of a night; nil if there is no such night.
    ///
    /// - Parameters:
    ///   - number: the night's number; nil for the latest night.
    ///   - versions: the versions and nights next to an adapter.
    ///   - log: the current chat log; exchanges that were forgotten since are not quoted.
    ///   - experiments: `logs/experiments.jsonl`, the harness results of each training cycle.
    package init?(
        of number: Int?, versions: AdapterVersions, log: [Exchange], experiments: URL
    ) {
        let nights = versions.nights
        guard
            let manifest = number.map({ number in nights.last { $0.version == number } })
                ?? nights.last
        else { return nil }
        let diary = NightDiaries(beside: versions.adapterDirectory).diary(of: manifest)
        let gate = manifest.gateReport
        version = manifest.version
        started = manifest.started
        accepted = manifest.accepted
        verdict = manifest.verdict
        adapter = versions.adapterDirectory.relativePath
        model = manifest.model
        codeVersion = manifest.codeVersion
        heldoutLossBefore = manifest.heldoutLossBefore
        heldoutLossAfter = manifest.heldoutLossAfter
        trainingLoss = diary?.trainingLoss.filter(\.loss.isFinite) ?? []
        heldOutLoss = diary?.heldOutLoss.filter(\.loss.isFinite) ?? []
        cost = Cost(
            seconds: manifest.seconds, trainingSeconds: diary?.report.trainingSeconds,
            judgingSeconds: gate?.seconds, peakBytes: diary?.report.peakRssBytes,
            forecastSeconds: diary?.report.plan.seconds,
            forecastBytes: diary?.report.plan.peakBytes)
        let inUse = versions.numberInUse
        nightCount = nights.count
        history = nights.suffix(Self.mostNights).reversed().map {
            Night($0, isInUse: $0.version == inUse)
        }
        harness =
            Self.harness(of: gate)
            ?? Self.harness(ofCycle: manifest, in: experiments)
        var remarks: [String] = []
        answers = []
        if let diary {
            let quotes = Quotes(log)
            learnt = Learnt(diary.report, tally: diary.routing, quotes: quotes)
            stored = Stored(diary.routing, quotes: quotes)
            leftOut = LeftOut(diary.routing, quotes: quotes)
            // Any answer could contain text that the model learnt from a forgotten exchange.
            if versions.isForgetful(of: manifest.version) {
                remarks.append(
                    "Answers are not shown: something that this night learnt was forgotten since.")
            } else {
                answers = diary.answers.compactMap { answer in
                    quotes.question(answer.exchange).map {
                        Answer(question: $0, before: answer.before, after: answer.after)
                    }
                }
            }
        } else {
            remarks.append(
                "This night kept no diary, so its exchanges, curves and answers are not known.")
        }
        self.remarks = remarks
    }

    /// The harness results of the gate, compared with the base model.
    private static func harness(of gate: GateReport?) -> Harness? {
        guard let score = gate?.attempts.last(where: { $0.harness != nil })?.harness
        else { return nil }
        let rows = (score.categories ?? []).map {
            row($0.name, before: $0.passedBase, after: $0.passed, total: $0.total)
        }
        return Harness(
            baseline: "base model",
            rows: rows
                + [row("all", before: score.passedBase, after: score.passed, total: score.total)],
            pValue: score.pValue)
    }

    private static func row(_ name: String, before: Int, after: Int, total: Int) -> Harness.Row {
        Harness.Row(
            name: name, before: HarnessScore(passed: before, total: total),
            after: HarnessScore(passed: after, total: total))
    }

    /// The fields of a line of `experiments.jsonl` that a report needs.
    private struct Cycle: Decodable {
        struct Side: Decodable {
            let harness, harnessTotals: [String: Int]
            let harnessPassed, harnessTotal: Int
        }
        struct Sleep: Decodable { let version: Int }
        let timestamp: Date
        let seconds: Double
        let before, after: Side
        let sleep: Sleep
    }

    /// The harness results of the training cycle that the night was part of.
    private static func harness(ofCycle manifest: NightManifest, in file: URL) -> Harness? {
        guard let started = manifest.started, let data = try? Data(contentsOf: file) else {
            return nil
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        decoder.dateDecodingStrategy = .iso8601
        let cycles = data.split(separator: UInt8(ascii: "\n"))
            .compactMap { try? decoder.decode(Cycle.self, from: Data($0)) }
        // Times are written in whole seconds.
        let cycle = cycles.last {
            $0.sleep.version == manifest.version && started >= $0.timestamp.addingTimeInterval(-1)
                && started <= $0.timestamp.addingTimeInterval($0.seconds + 1)
        }
        guard let cycle, cycle.before.harnessTotal == cycle.after.harnessTotal else { return nil }
        let rows = cycle.after.harnessTotals.sorted { $0.key < $1.key }.map { name, total in
            row(
                name, before: min(total, cycle.before.harness[name] ?? 0),
                after: min(total, cycle.after.harness[name] ?? 0), total: total)
        }
        return Harness(
            baseline: "evening",
            rows: rows
                + [
                    row(
                        "all", before: cycle.before.harnessPassed,
                        after: cycle.after.harnessPassed, total: cycle.after.harnessTotal)
                ])
    }
}

extension MorningReport.Night {
    init(_ manifest: NightManifest, isInUse: Bool) {
        self.init(
            version: manifest.version, started: manifest.started, accepted: manifest.accepted,
            isInUse: isInUse, verdict: manifest.verdict, exchanges: manifest.exchangesTrained,
            heldoutLossBefore: manifest.heldoutLossBefore,
            heldoutLossAfter: manifest.heldoutLossAfter, seconds: manifest.seconds)
    }
}

/// The exchanges that a report may quote: those that the log still has, redacted.
struct Quotes {
    private let exchanges: [ContentHash: Exchange]

    init(_ log: [Exchange]) {
        exchanges = Dictionary(
            log.cleaned.map { ($0.hash, $0.exchange) }, uniquingKeysWith: { first, _ in first })
    }

    /// The first question of an exchange; nil if the log no longer has it.
    func question(_ hash: ContentHash) -> String? {
        exchanges[hash]?.messages.first { $0.role == .user }?.content
    }

    func excerpt(_ entry: RoutingTally.Entry, reasons: [String]) -> MorningReport.Excerpt {
        MorningReport.Excerpt(
            text: question(entry.exchange).map(Self.beginning),
            timestamp: exchanges[entry.exchange]?.timestamp, reasons: reasons)
    }

    /// The beginning of a text on one line.
    static func beginning(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.count > 120 ? line.prefix(119) + "…" : line
    }
}

extension MorningReport.Learnt {
    init(_ report: NightReport, tally: RoutingTally, quotes: Quotes) {
        self.init(
            exchanges: report.exchangesTrained, heldOut: report.exchangesHeldOut,
            new: report.exchangesNew, replayed: report.exchangesReplayed,
            rejected: report.repliesRejected, corrected: report.repliesCorrected,
            good: report.repliesGood, tokens: report.tokensTrained, steps: report.finalStep,
            paraphrases: report.syntheticPairs, generalPairs: report.rehearsalPairs,
            preferences: report.preferences ?? 0, preferencePairs: report.preferencePairs ?? 0,
            latest: tally.latest.filter { $0.training == .trained || $0.training == .replayed }
                .suffix(MorningReport.mostExcerpts).reversed().map {
                    quotes.excerpt(
                        $0, reasons: ($0.training == .replayed ? ["rehearsed"] : []) + $0.lessons)
                })
    }

    /// Sentences about new exchanges and about feedback on replies.
    var remarks: [String] {
        var remarks: [String] = []
        if replayed > 0 {
            remarks.append("\(new) of them were new, \(replayed) were rehearsed.")
        }
        if rejected > 0 {
            remarks.append(
                "\(rejected) of your model's replies are never learnt: you called them bad or "
                    + "corrected them.")
        }
        if corrected + good > 0 {
            remarks.append(
                "Counted double: \(corrected) that put such a reply right, \(good) that you called "
                    + "good.")
        }
        return remarks
    }
}

extension MorningReport.Stored {
    init(_ tally: RoutingTally, quotes: Quotes) {
        let names = [
            "code": "code", "links": "links", "json": "JSON-like data", "long": "long texts",
            "numbers": "many numbers",
        ]
        self.init(
            exchanges: tally.stored,
            reasons: tally.storedReasons.map {
                MorningReport.Count(name: names[$0.name] ?? $0.name, count: $0.count)
            },
            latest: tally.latest.filter(\.isStored).suffix(MorningReport.mostExcerpts).reversed()
                .map { quotes.excerpt($0, reasons: $0.reasons) })
    }
}

extension MorningReport.LeftOut {
    init(_ tally: RoutingTally, quotes: Quotes) {
        var reasons = tally.bars.map {
            MorningReport.Count(
                name: "not trained: "
                    + (TrainingBar(rawValue: $0.name).map(Self.words) ?? $0.name), count: $0.count)
        }
        if tally.keptFromStore > 0 {
            reasons.append(
                .init(
                    name: "not stored: tagged #\(Exchange.noRetrievalTag)",
                    count: tally.keptFromStore))
        }
        reasons += tally.secrets.map {
            .init(name: "secret taken out: \($0.name)", count: $0.count)
        }
        self.init(
            reasons: reasons,
            latest: tally.latest.filter { !$0.bars.isEmpty || !$0.secrets.isEmpty }
                .suffix(MorningReport.mostExcerpts).reversed().map { entry in
                    quotes.excerpt(
                        entry,
                        reasons: entry.bars.filter { $0 != .rejected }.map(Self.words)
                            + (entry.bars.contains(.rejected) ? entry.lessons : [])
                            + entry.secrets.map(\.rawValue))
                })
    }

    private static func words(_ bar: TrainingBar) -> String {
        switch bar {
        case .taggedNoTrain: "tagged #\(Exchange.noTrainTag)"
        case .rejected: "the reply was rejected: called bad, or corrected"
        case .recalled: "answered from memory, which is not learnt again"
        }
    }
}

extension AdapterVersions {
    /// Whether a version, or the adapter in use if it is that version, was trained on exchanges
    /// that were forgotten since.
    func isForgetful(of number: Int) -> Bool {
        let inUse = numberInUse == number ? TrainingManifest.read(adapter: adapterDirectory) : nil
        return version(number)?.isStale == true || inUse?.isStale == true
    }
}
