import ArgumentParser
import CircadiaAnalysis
import CircadiaApp
import CircadiaEvaluation
import CircadiaRetrieval
import Foundation

/// `circadia eval-retrieval`: measures how well questions find their evidence in a log.
struct EvalRetrievalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval-retrieval",
        abstract: "Measure how well the retrieval store finds the evidence for questions.",
        discussion: """
            Puts the logs into one temporary store and removes it afterwards. Any exchange of the \
            evidence counts as a hit. The 95% intervals are bootstrapped over the questions.
            """)

    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("The chat logs.", valueName: "file"))
    var memoryFile = ["data/memories.jsonl"]

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "The questions: JSON lines with \"question\" and \"evidence\" (ids of exchanges).",
            valueName: "file"))
    var questions: [String]

    @Option(
        help:
            "The time at which the questions are asked (RFC 3339). (default: the newest exchange's)"
    )
    var now: String?

    @Flag(help: "Search by words and time only, without vectors.")
    var noVectors = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let now, RagCommand.Search.date(now) == nil {
            throw ValidationError(
                "--now “\(now)” is not an RFC 3339 time; write it as 2026-11-24T09:00:00Z")
        }
    }

    func run() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "circadia-retrieval-\(UUID().uuidString)", isDirectory: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let location = StoreLocation.sqlite(folder: folder)
        let store = try noVectors ? location.open(embedder: nil) : location.openWithEmbedder()
        defer { store.close() }
        for file in memoryFile {
            let exchanges = try LogReader.read(file, console: output.console)
            try store.ingest(exchanges.cleaned, policy: .chat)
        }
        let asked = try questions.flatMap { try RetrievalQuestion.read(URL(fileURLWithPath: $0)) }
        let moment = now.flatMap(RagCommand.Search.date)
        let evaluation = try RetrievalEvaluation.measure(asked) { question, limit in
            try store.search(question, limit: limit, now: moment).map(\.id)
        }
        if evaluation.questions == 0 {
            throw CommandFailure(
                "no question names its evidence; add \"evidence\" with ids of exchanges")
        }
        if output.json { return try output.console.json(Row(evaluation)) }
        for name in Row.names {
            guard let measure = evaluation.measures[name] else { continue }
            output.console.result(
                String(
                    format: "%@  %.3f  (%.3f to %.3f)",
                    name.padding(toLength: 15, withPad: " ", startingAt: 0), measure.mean,
                    measure.interval.lowerBound, measure.interval.upperBound))
        }
        output.console.result(
            String(
                format: "%d questions, %.1f ms a search at the median", evaluation.questions,
                evaluation.medianSearchSeconds * 1000))
    }

    /// One flat object: every measure under its name, their intervals under `intervals`.
    private struct Row: Encodable {
        static let names =
            RetrievalEvaluation.depths.map { "recall@\($0)" }
            + ["all_evidence@10", "mrr", "ndcg@10"]
        let evaluation: RetrievalEvaluation

        init(_ evaluation: RetrievalEvaluation) { self.evaluation = evaluation }

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            for (name, measure) in evaluation.measures {
                try container.encode(measure.mean, forKey: Key(stringValue: name))
            }
            let intervals = evaluation.measures.mapValues {
                [$0.interval.lowerBound, $0.interval.upperBound]
            }
            try container.encode(intervals, forKey: Key(stringValue: "intervals"))
            try container.encode(evaluation.questions, forKey: Key(stringValue: "questions"))
            try container.encode(
                evaluation.medianSearchSeconds, forKey: Key(stringValue: "median_search_seconds"))
        }
    }
}
