import ArgumentParser
import CircadiaApp
import Foundation

/// `circadia schedule`: runs a night every day.
struct ScheduleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule",
        abstract: "Run a night every day at a set time.",
        subcommands: [Install.self, Status.self, Remove.self, Run.self])

    /// The folder of a schedule.
    struct Place: ParsableArguments {
        @Option(
            help: ArgumentHelp(
                "The folder that holds data/ and adapters/. (default: the current one)",
                valueName: "dir"))
        var folder = "."

        var url: URL {
            URL(fileURLWithPath: folder, isDirectory: true).standardizedFileURL
                .resolvingSymlinksInPath()
        }

        var name: String { ScheduleEntry.name(of: url.path) }
    }

    /// `circadia schedule install`.
    struct Install: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Schedule a night every day.",
            discussion: """
                Flags of 'circadia sleep' follow “--”, such as -- --rag --finish-by 06:30. Installing \
                again replaces the folder's schedule. A night waits for mains power and for the end of \
                a chat, resumes after an interruption and runs later if it was missed. The report is \
                written after it.
                """)

        @Option(help: "Start the night at this local time, such as 03:00.")
        var at: TimeOfDay

        @Flag(help: "Run the night on battery too.")
        var onBattery = false

        @Option(
            help:
                "Let systemd, cron or launchd start the night. (default: the first that is available)"
        )
        var scheduler: Scheduler?

        @OptionGroup var place: Place
        @OptionGroup var output: OutputOptions

        @Argument(parsing: .postTerminator, help: "Flags of 'circadia sleep', after “--”.")
        var sleepFlags: [String] = []

        func run() async throws {
            _ = try ScheduledNightFlags.parse(sleepFlags)
            guard FileManager.default.fileExists(atPath: place.url.path) else {
                throw ScheduleError.folderMissing(path: place.url.path)
            }
            let available = await Scheduler.available()
            guard let scheduler = scheduler ?? available.first else {
                throw ScheduleError.noScheduler
            }
            let home = ProcessInfo.processInfo.environment["CIRCADIA_HOME"] ?? ""
            let entry = ScheduleEntry(
                command: ScheduledNightFlags.command(
                    folder: place.url.path, time: at, runsOnBattery: onBattery,
                    sleepArguments: sleepFlags),
                folder: place.url.path, time: at,
                environment: home.isEmpty ? [:] : ["CIRCADIA_HOME": home],
                remark: "Made by 'circadia schedule install'; 'circadia schedule remove' removes "
                    + "it.")
            try entry.check()
            // Each folder has one schedule, so those of other schedulers go.
            for other in available where other != scheduler {
                _ = try await other.remove(entry.name)
            }
            try await scheduler.install(entry)
            // Nights before the installation do not count as missed.
            var state = ScheduleState.read(in: place.url) ?? ScheduleState(settled: Date())
            state.settled = max(state.settled, Date())
            try state.save(in: place.url)
            let next = at.next(after: Date()).map { $0.formatted(.iso8601) } ?? ""
            output.console.result(
                "a night every day at \(at) by \(scheduler.rawValue), the next at \(next)")
            if scheduler == .systemd {
                output.console.note(
                    "without 'loginctl enable-linger' it runs only while you are logged in")
            }
        }
    }

    /// `circadia schedule status`.
    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show whether nights are scheduled, and how the last one ended.",
            discussion: "Exit code 2 means that no nights are scheduled.")

        @OptionGroup var place: Place
        @OptionGroup var output: OutputOptions

        struct Report: Encodable {
            let installed: Bool
            let scheduler: String?
            let entry: String?
            let lastSummary: String?
            let lastStatus: Int32?
            let lastEnded: Date?
        }

        func run() async throws {
            var scheduler: Scheduler?
            for candidate in await Scheduler.available() where scheduler == nil {
                if try await candidate.isInstalled(place.name) { scheduler = candidate }
            }
            let state = ScheduleState.read(in: place.url)
            let report = Report(
                installed: scheduler != nil, scheduler: scheduler?.rawValue,
                entry: try await scheduler?.text(of: place.name), lastSummary: state?.summary,
                lastStatus: state?.status, lastEnded: state?.ended)
            if output.json {
                try output.console.json(report)
            } else {
                output.console.result(
                    scheduler.map { "scheduled by \($0.rawValue) for \(place.url.path)" }
                        ?? "no night is scheduled for \(place.url.path)")
                if let entry = report.entry { output.console.result(entry) }
                if let summary = state?.summary {
                    let ended = state?.ended.map { $0.formatted(.iso8601) } ?? ""
                    output.console.result("last: \(ended) \(summary)")
                }
            }
            if scheduler == nil { throw ExitCode(2) }
        }
    }

    /// `circadia schedule remove`.
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove the schedule.",
            discussion: "Exit code 2 means that none were scheduled.")

        @OptionGroup var place: Place
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var wasThere = false
            for scheduler in await Scheduler.available() {
                if try await scheduler.remove(place.name) { wasThere = true }
            }
            guard wasThere else {
                output.console.warn("no night is scheduled for \(place.url.path)")
                throw ExitCode(2)
            }
            output.console.result("no more nights for \(place.url.path)")
        }
    }

    /// `circadia schedule run`: what the schedule starts.
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run the night that is due, if any. The schedule starts this command.",
            discussion: """
                Prints one line if a night ran or failed, and nothing if none was due or it was put \
                off. Exit code 0: promoted, or none due; 2: rejected, or another one is running; 75: \
                put off or interrupted, and tried again later.
                """)

        @Option(help: "The local time at which nights are due, such as 03:00.")
        var at: TimeOfDay

        @Flag(help: "Run the night on battery too.")
        var onBattery = false

        @Flag(help: "Run a night now, even if none is due.")
        var now = false

        @OptionGroup var place: Place
        @OptionGroup var output: OutputOptions

        @Argument(parsing: .postTerminator, help: "Flags of 'circadia sleep', after “--”.")
        var sleepFlags: [String] = []

        func run() async throws {
            Interrupt.install(terminationToo: true)
            let outcome = try await ScheduledNight(
                folder: place.url, time: at, runsOnBattery: onBattery, isForced: now,
                plan: { [sleepFlags, folder = place.url] in
                    try ScheduledNightFlags.plan(sleepFlags, folder: folder)
                },
                wording: ScheduleWording.line, isCancelled: { Interrupt.isRequested }
            ).run()
            if ScheduleWording.isTold(outcome, isForced: now) {
                output.console.result("circadia: " + ScheduleWording.summary(outcome))
            }
            if outcome.status != 0 { throw ExitCode(outcome.status) }
        }
    }
}

extension Scheduler: ExpressibleByArgument {}

/// The flags of a scheduled night.
enum ScheduledNightFlags {
    /// The program's own path.
    private static var program: String {
        (Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])).path
    }

    /// The command that the system starts at the time of day.
    static func command(
        folder: String, time: TimeOfDay, runsOnBattery: Bool, sleepArguments: [String]
    ) -> [String] {
        [program, "schedule", "run", "--folder", folder, "--at", "\(time)"]
            + (runsOnBattery ? ["--on-battery"] : [])
            + (sleepArguments.isEmpty ? [] : ["--"] + sleepArguments)
    }

    /// Reads the flags of the night.
    ///
    /// - Throws: `CommandFailure` with the parser's message.
    static func parse(_ arguments: [String]) throws -> SleepCommand {
        do {
            return try SleepCommand.parse(arguments)
        } catch {
            throw CommandFailure("after “--”: " + SleepCommand.message(for: error))
        }
    }

    /// The plan of a scheduled start. Relative paths start at the schedule's folder.
    static func plan(_ arguments: [String], folder: URL) throws -> ScheduledNight.Plan {
        let night = try parse(arguments)
        let (log, adapter) = (night.memoryFile, night.adapter.adapterDir)
        return ScheduledNight.Plan(
            log: place(log, in: folder), adapter: place(adapter, in: folder),
            alwaysResumes: night.resume,
            command: { step in
                switch step {
                case .night(let isResumed):
                    [program, "sleep", "--yield-to-chat", "--only-if-due"] + arguments
                        + (isResumed ? ["--resume"] : [])
                case .report:
                    [
                        program, "report", "--quiet", "--adapter-dir", adapter, "--memory-file",
                        log,
                    ]
                }
            })
    }

    private static func place(_ path: String, in folder: URL) -> URL {
        path.hasPrefix("/") ? URL(fileURLWithPath: path) : folder.appendingPathComponent(path)
    }
}
