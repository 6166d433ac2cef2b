import CircadiaAdapters
import CircadiaFiles
import CircadiaNight
import Foundation
import Subprocess

/// One scheduled start. It decides whether a night is due and may begin, runs the night in a
/// process of its own and writes a log to `logs/schedule.log`.
package struct ScheduledNight: Sendable {
    /// A process that a scheduled start runs.
    package enum Step: Sendable, Equatable {
        /// A night; `isResumed` resumes the unfinished one.
        case night(isResumed: Bool)
        /// The report of the night.
        case report
    }

    /// The files and commands of a start, from the settings of the night.
    package struct Plan: Sendable {
        /// The chat log; a night waits while a chat of it is in use.
        package let log: URL
        /// The adapter's folder.
        package let adapter: URL
        /// Whether the settings always resume an unfinished night.
        package let alwaysResumes: Bool
        /// The command of a step, word by word.
        package let command: @Sendable (Step) -> [String]

        /// Makes a plan.
        package init(
            log: URL, adapter: URL, alwaysResumes: Bool,
            command: @escaping @Sendable (Step) -> [String]
        ) {
            self.log = log
            self.adapter = adapter
            self.alwaysResumes = alwaysResumes
            self.command = command
        }
    }

    /// A reason why no night can begin now.
    package enum Obstacle: Sendable, Equatable {
        /// The machine runs on battery.
        case battery
        /// A chat of the log was used a short while ago.
        case chat
        /// Another process trains the same adapter.
        case otherNight
    }

    /// How a start ended.
    package enum Outcome: Sendable, Equatable {
        /// No night was due.
        case notDue
        /// Another scheduled start of the folder has not ended.
        case alreadyRunning
        /// A night is due and is tried again later.
        case putOff(Obstacle)
        /// A night ended, with its number, verdict, exit code and duration in seconds.
        case held(version: Int, verdict: String, status: Int32, seconds: Double)
        /// No exchange was new and none was due.
        case nothingToLearn
        /// The night was interrupted and resumes later.
        case interrupted
        /// The night failed, with its exit code and duration in seconds.
        case failed(status: Int32, seconds: Double)

        /// The exit code: 0 promoted or nothing to do, 2 rejected or refused, 75 put off; anything
        /// else is a failure.
        package var status: Int32 {
            switch self {
            case .notDue, .nothingToLearn: 0
            case .alreadyRunning: 2
            case .putOff, .interrupted: Self.putOffStatus
            case .held(_, _, let status, _), .failed(let status, _): status
            }
        }

        /// The exit code of a night that is tried again later (EX_TEMPFAIL in sysexits).
        static let putOffStatus: Int32 = 75
    }

    /// An event for the log.
    package enum Event: Sendable, Equatable {
        /// A night is due but cannot begin now.
        case putOff(Obstacle)
        /// A night begins.
        case begins
        /// The system has no tool that keeps it awake for the night.
        case mayFallAsleep
        /// The machine was unplugged; the night is asked to end.
        case onBattery
        /// A signal asked the night to end.
        case askedToEnd
        /// The start ended.
        case ended(Outcome)
    }

    /// The folder that contains `data/`, `adapters/` and `logs/`.
    package let folder: URL
    /// When nights are due.
    package let time: TimeOfDay
    /// Whether a night also runs on battery.
    package let runsOnBattery: Bool
    /// Whether a night is run even if none is due.
    package let isForced: Bool
    private let plan: @Sendable () throws -> Plan
    private let wording: @Sendable (Event) -> String
    private let isOnBattery: @Sendable () async -> Bool
    private let isCancelled: @Sendable () -> Bool

    /// Makes a start for a folder.
    ///
    /// - Parameters:
    ///   - folder: the folder that contains `data/`, `adapters/` and `logs/`.
    ///   - time: when nights are due.
    ///   - runsOnBattery: whether a night also runs on battery.
    ///   - isForced: whether a night is run even if none is due.
    ///   - plan: makes the plan once a night is due.
    ///   - wording: gives the line of the log for an event.
    ///   - isOnBattery: tells whether the machine runs on battery.
    ///   - isCancelled: called while the night runs; true asks it to end.
    package init(
        folder: URL, time: TimeOfDay, runsOnBattery: Bool = false, isForced: Bool = false,
        plan: @escaping @Sendable () throws -> Plan,
        wording: @escaping @Sendable (Event) -> String,
        isOnBattery: @escaping @Sendable () async -> Bool = PowerSource.isBattery,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        self.folder = folder
        self.time = time
        self.runsOnBattery = runsOnBattery
        self.isForced = isForced
        self.plan = plan
        self.wording = wording
        self.isOnBattery = isOnBattery
        self.isCancelled = isCancelled
    }

    /// Runs the night if one is due at `now`.
    ///
    /// - Returns: the outcome.
    /// - Throws: `ScheduleError`, errors of `plan`, or errors of the file system.
    package func run(now: Date = Date()) async throws -> Outcome {
        guard FileManager.default.fileExists(atPath: folder.path) else {
            throw ScheduleError.folderMissing(path: folder.path)
        }
        let logs = folder.appendingPathComponent("logs", isDirectory: true)
        try FileManager.default.createDirectory(
            at: logs, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        guard let lock = try FileLock(ifFree: logs.appendingPathComponent(".schedule.lock")) else {
            return .alreadyRunning
        }
        defer { withExtendedLifetime(lock) {} }
        let state = ScheduleState.read(in: folder)
        let due = time.last(until: now) ?? now
        if !isForced, let state, state.settled >= due { return .notDue }

        let plan = try plan()
        let log = ScheduleLog(
            try RotatingLog(url: logs.appendingPathComponent("schedule.log")).openForAppending(),
            wording: wording)
        if let obstacle = await obstacle(plan) {
            log.write(.putOff(obstacle))
            return .putOff(obstacle)
        }
        log.write(.begins)
        let outcome = try await sleep(plan, log: log)
        log.write(.ended(outcome))
        // A night that was put off is tried again. After a failure the next night is the next try.
        let isOpen = outcome.status == Outcome.putOffStatus
        try ScheduleState(
            settled: isOpen ? state?.settled ?? .distantPast : now,
            summary: wording(.ended(outcome)), ended: Date(), status: outcome.status
        ).save(in: folder)
        return outcome
    }

    /// The reason why no night can begin now; nil if one can.
    private func obstacle(_ plan: Plan) async -> Obstacle? {
        if !runsOnBattery, await isOnBattery() { return .battery }
        if ChatPresence.isActive(log: plan.log) { return .chat }
        do {
            _ = try SleepLock(guarding: plan.adapter)
        } catch {
            if case .alreadySleeping = error { return .otherNight }
        }
        return nil
    }

    private func sleep(_ plan: Plan, log: ScheduleLog) async throws -> Outcome {
        try await Wakefulness.during { isKeptAwake in
            if !isKeptAwake { log.write(.mayFallAsleep) }
            return try await sleepAwake(plan, log: log)
        }
    }

    private func sleepAwake(_ plan: Plan, log: ScheduleLog) async throws -> Outcome {
        let versions = AdapterVersions(beside: plan.adapter)
        let before = Set(versions.nights.map(\.version))
        let begun = Date()
        var status: Int32
        if UnfinishedNight(of: plan.adapter).exists, !plan.alwaysResumes {
            status = try await run(plan.command(.night(isResumed: true)), log: log)
            if status == 2, Set(versions.nights.map(\.version)) == before {
                // The night cannot be resumed; the log says why.
                status = try await run(plan.command(.night(isResumed: false)), log: log)
            }
        } else {
            status = try await run(plan.command(.night(isResumed: false)), log: log)
        }
        let seconds = Date().timeIntervalSince(begun)
        if let held = versions.nights.last(where: { !before.contains($0.version) }) {
            _ = try await run(plan.command(.report), log: log)
            return .held(
                version: held.version, verdict: held.verdict, status: status, seconds: seconds)
        }
        switch status {
        case 0: return .nothingToLearn
        case Outcome.putOffStatus: return .interrupted
        default: return .failed(status: status, seconds: seconds)
        }
    }

    /// Runs a command in the folder with its output in the log. A signal, or running on battery,
    /// asks it to end.
    private func run(_ command: [String], log: ScheduleLog) async throws -> Int32 {
        let command = SystemTool.inBackground(command)
        do {
            let descriptor = log.descriptor
            return try await Subprocess.run(
                .path(.init(command[0])), arguments: Arguments(Array(command.dropFirst())),
                workingDirectory: .init(folder.path), input: .none,
                output: .fileDescriptor(
                    .init(rawValue: descriptor), closeAfterSpawningProcess: false),
                error: .fileDescriptor(
                    .init(rawValue: descriptor), closeAfterSpawningProcess: false)
            ) { execution in
                await watch(execution.processIdentifier.value, log: log)
            }.terminationStatus.shellCode
        } catch let error as SubprocessError {
            throw ScheduleError.nightNotStarted(reason: "\(error)")
        }
    }

    /// Waits until a child process ends. Asks it to end, once, after a signal or on battery.
    private func watch(_ pid: pid_t, log: ScheduleLog) async {
        var isAsked = false
        var looked = Date()
        while SystemTool.isRunning(pid) {
            try? await Task.sleep(for: .milliseconds(200))
            let looks = !runsOnBattery && Date().timeIntervalSince(looked) >= PowerSource.interval
            if looks { looked = Date() }
            let isUnplugged = looks ? await isOnBattery() : false
            guard !isAsked, isCancelled() || isUnplugged else { continue }
            log.write(isUnplugged ? .onBattery : .askedToEnd)
            kill(pid, SIGTERM)
            isAsked = true
        }
    }
}

/// The log of scheduled nights. Its lines begin with the time; the output of the nights' processes
/// comes between them.
private struct ScheduleLog: Sendable {
    private let file: FileHandle
    private let wording: @Sendable (ScheduledNight.Event) -> String

    init(
        _ file: FileHandle, wording: @escaping @Sendable (ScheduledNight.Event) -> String
    ) {
        self.file = file
        self.wording = wording
    }

    var descriptor: Int32 { file.fileDescriptor }

    func write(_ event: ScheduledNight.Event) {
        try? file.write(
            contentsOf: Data("\(Date().formatted(.iso8601)) \(wording(event))\n".utf8))
    }
}
