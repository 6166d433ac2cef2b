import ArgumentParser
import CircadiaFiles
import CircadiaNight
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One scheduled start: decides whether a night is due and may begin, holds it in a process of its own and
/// says in one line what became of it.
struct ScheduledNight {
    let folder: URL
    let time: TimeOfDay
    let runsOnBattery: Bool
    let sleepArguments: [String]
    /// Holds a night though none is due.
    let isForced: Bool
    let console: Console

    /// How a start ended.
    struct Outcome {
        /// As of `circadia sleep`: 0 promoted, 2 rejected or refused, 75 put off, else failed.
        let status: Int32
        /// One line; nil where nobody needs to know, such as where no night is due.
        let summary: String?
    }

    private static let putOff: Int32 = 75

    /// Holds the night, where one is due. The process works in `folder` from then on.
    ///
    /// - Throws: `CommandFailure` where the folder is not there, or what the file system says.
    func run() throws -> Outcome {
        guard FileManager.default.changeCurrentDirectoryPath(folder.path) else {
            throw CommandFailure("\(folder.path): there is no such folder")
        }
        try FileManager.default.createDirectory(
            atPath: "logs", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        guard let lock = try FileLock(ifFree: URL(fileURLWithPath: "logs/.schedule.lock")) else {
            return Outcome(status: 2, summary: isForced ? "a scheduled night is running" : nil)
        }
        defer { withExtendedLifetime(lock) {} }
        let now = Date()
        let state = ScheduleState.read(in: folder)
        let due = time.last(until: now) ?? now
        if !isForced, let state, state.settled >= due { return Outcome(status: 0, summary: nil) }

        let night = try Self.parse(sleepArguments)
        let log = try RotatingLog(url: URL(fileURLWithPath: "logs/schedule.log")).openForAppending()
        func write(_ text: String) {
            try? log.write(
                contentsOf: Data("\(Date().formatted(.iso8601)) \(text)\n".utf8))
        }
        if let reason = obstacle(night) {
            write("put off: \(reason)")
            return Outcome(status: Self.putOff, summary: isForced ? "put off: \(reason)" : nil)
        }
        write("a night begins")
        let outcome = try sleep(night, log: log, write: write)
        write(outcome.summary ?? "")
        // What was put off is tried again; what failed waits for the next night.
        let settled = outcome.status == Self.putOff ? state?.settled ?? .distantPast : now
        try ScheduleState(
            settled: settled, summary: outcome.summary, ended: Date(), status: outcome.status
        ).save(in: folder)
        return outcome
    }

    /// The flags of the night.
    ///
    /// - Throws: `CommandFailure` with the parser's message.
    static func parse(_ arguments: [String]) throws -> SleepCommand {
        do {
            return try SleepCommand.parse(arguments)
        } catch {
            throw CommandFailure("after “--”: " + SleepCommand.message(for: error))
        }
    }

    /// Why no night can begin now; nil where one can.
    private func obstacle(_ night: SleepCommand) -> String? {
        if !runsOnBattery, PowerSource.isBattery { return "the machine runs on battery" }
        if ChatPresence.isActive(log: URL(fileURLWithPath: night.memoryFile)) {
            return "a chat is in use"
        }
        do {
            _ = try SleepLock(guarding: night.adapter.url)
        } catch {
            if case .alreadySleeping = error { return "another sleep is running" }
        }
        return nil
    }

    private func sleep(
        _ night: SleepCommand, log: FileHandle, write: (String) -> Void
    ) throws -> Outcome {
        // What is started from here inherits it.
        _ = nice(10)
        let awake = Wakefulness()
        defer { withExtendedLifetime(awake) {} }
        if awake == nil { write("the machine may fall asleep: nothing here keeps it awake") }
        let versions = AdapterVersions(beside: night.adapter.url)
        let before = Set(versions.nights.map(\.version))
        let begun = Date()
        let flags = ["sleep", "--yield-to-chat", "--only-if-due"] + sleepArguments
        var status: Int32
        if UnfinishedNight(of: night.adapter.url).exists, !night.resume {
            status = try run(flags + ["--resume"], log: log, write: write)
            if status == 2, Set(versions.nights.map(\.version)) == before {
                // It cannot go on, which the log explains.
                status = try run(flags, log: log, write: write)
            }
        } else {
            status = try run(flags, log: log, write: write)
        }
        let minutes = String(format: "%.1f min", Date().timeIntervalSince(begun) / 60)
        if let held = versions.nights.last(where: { !before.contains($0.version) }) {
            _ = try run(
                [
                    "report", "--quiet", "--adapter-dir", night.adapter.adapterDir,
                    "--memory-file", night.memoryFile,
                ], log: log, write: write)
            return Outcome(
                status: status,
                summary: "night \(AdapterVersions.name(of: held.version)): \(held.verdict) "
                    + "(\(minutes); report: logs/report.html)")
        }
        switch status {
        case 0:
            return Outcome(
                status: 0, summary: "no night: nothing new was said, and nothing is due")
        case Self.putOff:
            return Outcome(status: status, summary: "night interrupted; it goes on later")
        default:
            return Outcome(
                status: status,
                summary: "no night: exit code \(status) after \(minutes); see logs/schedule.log")
        }
    }

    /// The program, with what puts its use of the disk behind that of others, where the system has it.
    private var command: [String] {
        let program = Bundle.main.executableURL?.path ?? CommandLine.arguments[0]
        guard let ionice = Tool.find("ionice") else { return [program] }
        return [ionice.path, "-c", "3", program]
    }

    /// Runs a command of this program with its output in the log; a signal, or the battery, ends it in
    /// good order.
    private func run(
        _ arguments: [String], log: FileHandle, write: (String) -> Void
    ) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = command.dropFirst() + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = log
        process.standardError = log
        do { try process.run() } catch {
            throw CommandFailure("the night cannot be started: \(error.localizedDescription)")
        }
        var isAsked = false
        var looked = Date()
        while process.isRunning {
            usleep(200_000)
            let looks = !runsOnBattery && Date().timeIntervalSince(looked) >= PowerSource.interval
            if looks { looked = Date() }
            let isOnBattery = looks && PowerSource.isBattery
            guard !isAsked, Interrupt.isRequested || isOnBattery else { continue }
            write(isOnBattery ? "the machine runs on battery now" : "asked to end")
            process.terminate()
            isAsked = true
        }
        return process.terminationReason == .exit
            ? process.terminationStatus : 128 + process.terminationStatus
    }
}
