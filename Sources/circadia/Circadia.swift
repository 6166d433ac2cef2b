import ArgumentParser
import CircadiaNight

/// The command-line program `circadia`.
@main
struct Circadia: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "circadia",
        abstract: "A local language model that learns from you while it sleeps.",
        version: CodeVersion.current,
        groupedSubcommands: [
            CommandGroup(name: "By day:", subcommands: [ChatCommand.self, GenerateCommand.self]),
            CommandGroup(
                name: "By night:",
                subcommands: [
                    SleepCommand.self, RunCycleCommand.self, ReportCommand.self,
                    ScheduleCommand.self,
                ]),
            CommandGroup(
                name: "Memory:",
                subcommands: [
                    RagCommand.self, MemoryCommand.self, ForgetCommand.self, RouteCommand.self,
                    DownloadDatasetCommand.self,
                ]),
            CommandGroup(
                name: "Measuring:",
                subcommands: [
                    EvalLossCommand.self, EvalHarnessCommand.self, EvalRetrievalCommand.self,
                    EvalPreferencesCommand.self,
                    BenchCommand.self,
                ]),
            CommandGroup(
                name: "Models:",
                subcommands: [
                    ModelCommand.self, AdapterCommand.self, TokenizeCommand.self,
                    DoctorCommand.self,
                ]),
        ])

    /// Runs the command that the arguments name. An error ends the program with its message.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            exit(withError: Remedies.worded(error))
        }
    }
}
