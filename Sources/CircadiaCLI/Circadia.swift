import ArgumentParser

/// The command-line program `circadia`.
@main
struct Circadia: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "circadia",
        abstract: "A local language model that learns from you while it sleeps.",
        version: "0.1.0")
}
