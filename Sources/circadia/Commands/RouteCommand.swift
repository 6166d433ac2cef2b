import ArgumentParser
import CircadiaAnalysis
import Foundation

/// `circadia route`: shows where each exchange of a log goes, and why.
struct RouteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route",
        abstract: "Show which exchanges go to the retrieval store as well as to training.")

    @Option(help: ArgumentHelp("The chat log.", valueName: "file"))
    var memoryFile = "data/memories.jsonl"

    @Flag(help: "Show the reasons for every decision.")
    var explain = false

    @OptionGroup var output: OutputOptions

    struct Row: Encodable {
        let id: String
        let destination: String
        let trains: Bool
        let reasons: [String]
    }

    func run() throws {
        let log = try LogReader.contents(of: memoryFile, console: output.console)
        var stored = 0
        var trained = 0
        let exchanges = log.exchanges.cleaned
        for (exchange, lesson) in zip(exchanges, Lessons(exchanges).all) {
            let decision = exchange.routing(after: lesson)
            let isStored = decision.destination == .store
            if isStored { stored += 1 }
            if decision.trains { trained += 1 }
            let secrets = exchange.secrets.map {
                "contains a secret (\($0.rawValue)), which is neither trained nor stored"
            }
            let row = Row(
                id: exchange.id,
                destination: Self.destination(isStored: isStored, trains: decision.trains),
                trains: decision.trains,
                reasons: decision.reasons.map(\.description) + decision.bars.map(\.description)
                    + lesson.reasons { exchanges[$0].id } + secrets)
            if output.json {
                try output.console.json(row)
            } else {
                let reasons = explain ? "  " + row.reasons.joined(separator: "; ") : ""
                output.console.result("\(row.id)  \(row.destination)\(reasons)")
            }
        }
        output.console.note(
            "\(log.exchanges.count) exchanges: "
                + (trained == log.exchanges.count ? "all train" : "\(trained) train")
                + ", \(stored) \(trained == log.exchanges.count ? "also " : "")go to the store")
    }

    private static func destination(isStored: Bool, trains: Bool) -> String {
        switch (isStored, trains) {
        case (true, true): "weights+store"
        case (false, true): "weights"
        case (true, false): "store"
        case (false, false): "nowhere"
        }
    }
}
