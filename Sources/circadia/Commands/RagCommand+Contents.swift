import ArgumentParser
import CircadiaConversation
import CircadiaLog
import Foundation

extension RagCommand {
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show exchanges of the store in full.")
        @Argument(help: "Ids of exchanges.") var ids: [String]
        @OptionGroup var store: StoreOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let store = try store.openForReading()
            for id in ids {
                guard let exchange = try store.exchange(id: id) else {
                    throw CommandFailure("\(self.store.ragDir): no exchange has the id \(id)")
                }
                if output.json {
                    try output.console.json(MemoryCommand.Row(exchange))
                } else {
                    output.console.result(ExchangeText.whole(exchange))
                }
            }
        }
    }

    struct Stats: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the store's size, time span and embedder.")
        @OptionGroup var store: StoreOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let numbers = try store.openForReading().statistics()
            if output.json { return try output.console.json(numbers) }
            var lines = [
                "exchanges: \(numbers.exchanges)", "sessions: \(numbers.sessions)",
                "vectors: \(numbers.vectors)", "embedder: \(numbers.embedder ?? "none yet")",
            ]
            if let oldest = numbers.oldest, let newest = numbers.newest {
                lines.append("from \(Timestamp.string(oldest)) to \(Timestamp.string(newest))")
            }
            lines.append(String(format: "size: %.1f MB", Double(numbers.byteCount) / 1e6))
            output.console.result(lines.joined(separator: "\n"))
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the store's exchanges as a chat log.")
        @Option(
            help: ArgumentHelp(
                "Write to this new file. (default: standard output)", valueName: "file"))
        var out: String?
        @OptionGroup var store: StoreOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let exchanges = try store.openForReading().list()
            guard let out else {
                for exchange in exchanges {
                    output.console.stream(
                        String(decoding: ChatLog.line(of: exchange), as: UTF8.self))
                }
                return
            }
            if FileManager.default.fileExists(atPath: out) {
                throw CommandFailure("\(out): this file already exists; name another with --out")
            }
            let report = try ChatLog(url: URL(fileURLWithPath: out))
                .add(exchanges, keepingSecrets: true)
            if output.json { return try output.console.json(["exported": report.added]) }
            output.console.result("\(report.added) exchanges written to \(out)")
        }
    }
}
