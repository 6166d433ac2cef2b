import CircadiaFiles
import CircadiaTestSupport
import Foundation
import Testing

import CircadiaApp
import CircadiaNight

/// Scheduled starts. Shell scripts stand in for nights.
@Suite("Scheduled nights")
struct ScheduledNightTests {
    private let folder: TemporaryFolder
    private let time: TimeOfDay

    init() throws {
        folder = try TemporaryFolder()
        time = try #require(TimeOfDay("03:05"))
    }

    private var log: URL { folder.file("data/log.jsonl") }
    private var adapter: URL { folder.file("adapters/nightly_update") }

    /// A start whose nights run `script`; `$1` is the step.
    private func night(
        _ script: String = "exit 0", runsOnBattery: Bool = false, isForced: Bool = false,
        isOnBattery: @escaping @Sendable () async -> Bool = { false },
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) -> ScheduledNight {
        let (log, adapter) = (log, adapter)
        return ScheduledNight(
            folder: folder.url, time: time, runsOnBattery: runsOnBattery, isForced: isForced,
            plan: {
                ScheduledNight.Plan(log: log, adapter: adapter, alwaysResumes: false) { step in
                    let name =
                        switch step {
                        case .night(let isResumed): isResumed ? "resumed" : "fresh"
                        case .report: "report"
                        }
                    return ["/bin/sh", "-c", "echo step $1 >>steps; \(script)", "sh", name]
                }
            }, wording: { "\($0)" }, isOnBattery: isOnBattery, isCancelled: isCancelled)
    }

    /// The steps that ran, in order.
    private var steps: [String] {
        ((try? String(contentsOf: folder.file("steps"), encoding: .utf8)) ?? "")
            .split(separator: "\n").map { String($0.dropFirst("step ".count)) }
    }

    private func scheduleLog() throws -> String {
        try String(contentsOf: folder.file("logs/schedule.log"), encoding: .utf8)
    }

    private var state: ScheduleState? { ScheduleState.read(in: folder.url) }

    private func settle(_ date: Date) throws {
        try ScheduleState(settled: date).save(in: folder.url)
    }

    @Test("A night is due when the clock has shown its time since the last one, and only then")
    func due() async throws {
        let now = Date()
        let last = try #require(time.last(until: now))
        try settle(last)
        #expect(try await night().run(now: now) == .notDue)
        #expect(steps.isEmpty)
        try settle(last - 1)
        #expect(try await night().run(now: now) == .nothingToLearn)
        #expect(steps == ["fresh"])
        #expect(try await night().run(now: now) == .notDue)
        #expect(try await night(isForced: true).run(now: now) == .nothingToLearn)
        #expect(steps == ["fresh", "fresh"])
    }

    @Test("Nights that were missed are caught up with by one")
    func catchUp() async throws {
        let now = Date()
        try settle(now - 10 * 86_400)
        #expect(try await night().run(now: now) == .nothingToLearn)
        #expect(try await night().run(now: now) == .notDue)
        let settled = try #require(state?.settled)
        #expect(abs(settled.timeIntervalSince(now)) < 1)
        #expect(try await night().run(now: now + 86_400) == .nothingToLearn)
    }

    @Test("On battery it is put off, unless it may run on battery")
    func battery() async throws {
        let putOff = try await night(isOnBattery: { true }).run()
        #expect(putOff == .putOff(.battery) && putOff.status == 75)
        #expect(steps.isEmpty && state == nil)
        #expect(try scheduleLog().contains("putOff"))
        #expect(
            try await night(runsOnBattery: true, isOnBattery: { true }).run() == .nothingToLearn)
    }

    @Test("While a chat is in use it is put off")
    func chat() async throws {
        try FileManager.default.createDirectory(
            at: log.deletingLastPathComponent(), withIntermediateDirectories: true)
        do {
            let chat = try #require(ChatPresence(log: log))
            #expect(try await night().run() == .putOff(.chat))
            withExtendedLifetime(chat) {}
        }
        #expect(try await night().run() == .nothingToLearn)
    }

    @Test("While another night runs it is put off")
    func otherNight() async throws {
        do {
            let lock = try SleepLock.take(for: adapter)
            #expect(try await night().run() == .putOff(.otherNight))
            withExtendedLifetime(lock) {}
        }
        #expect(try await night().run() == .nothingToLearn)
    }

    @Test("Two starts of a folder never run at once")
    func lock() async throws {
        let logs = folder.file("logs")
        try FileManager.default.createDirectory(at: logs, withIntermediateDirectories: true)
        do {
            let lock = try FileLock(logs.appendingPathComponent(".schedule.lock"))
            let outcome = try await night().run()
            #expect(outcome == .alreadyRunning && outcome.status == 2)
            withExtendedLifetime(lock) {}
        }
        #expect(try await night().run() == .nothingToLearn)
    }

    @Test("A failed night waits for the next; its output is in the log, for the owner only")
    func failure() async throws {
        let outcome = try await night("echo trouble >&2; exit 3").run()
        guard case .failed(status: 3, seconds: _) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(try scheduleLog().contains("\ntrouble\n"))
        #expect(permissions(folder.file("logs/schedule.log")) == 0o600)
        #expect(state?.status == 3 && state?.summary?.contains("failed") == true)
        #expect(try await night().run() == .notDue)
    }

    @Test("An interrupted night goes on at the next start; if it cannot, a fresh one begins")
    func resumption() async throws {
        #expect(try await night("exit 75").run() == .interrupted)
        let unfinished = UnfinishedNight(of: adapter).url
        try FileManager.default.createDirectory(at: unfinished, withIntermediateDirectories: true)
        try Data("{}".utf8).write(to: unfinished.appendingPathComponent("night.json"))
        #expect(try await night("exit 75").run() == .interrupted)
        #expect(try await night("[ $1 = fresh ] || exit 2").run() == .nothingToLearn)
        #expect(steps == ["fresh", "resumed", "resumed", "fresh"])
    }

    /// A night that ends properly when it gets a signal.
    private let patient = "trap 'exit 75' TERM; while :; do sleep 0.05; done"

    @Test("A signal ends the night in good order")
    func signal() async throws {
        let steps = folder.file("steps").path
        let outcome = try await night(
            patient, isCancelled: { FileManager.default.fileExists(atPath: steps) }
        ).run()
        #expect(outcome == .interrupted)
        #expect(try scheduleLog().contains("askedToEnd"))
    }

    @Test("A machine that is unplugged ends the night in good order")
    func unplugged() async throws {
        let steps = folder.file("steps").path
        let outcome = try await night(
            patient, isOnBattery: { FileManager.default.fileExists(atPath: steps) }
        ).run()
        #expect(outcome == .interrupted)
        #expect(try scheduleLog().contains("onBattery"))
    }

    @Test("A folder that is not there is an error")
    func noFolder() async throws {
        let gone = ScheduledNight(
            folder: folder.file("gone"), time: time,
            plan: { throw ScheduleError.homeMissing }, wording: { "\($0)" })
        await #expect(throws: ScheduleError.folderMissing(path: folder.file("gone").path)) {
            try await gone.run()
        }
    }

    @Test("A large log is put aside, and only some of those are kept")
    func rotation() throws {
        let url = folder.file("logs/schedule.log")
        let log = RotatingLog(url: url, limit: 10, kept: 2)
        for round in 0..<5 {
            let file = try log.openForAppending()
            try file.write(contentsOf: Data("round \(round), more than ten bytes".utf8))
        }
        let names = try FileManager.default.contentsOfDirectory(
            atPath: url.deletingLastPathComponent().path)
        #expect(names.sorted() == ["schedule.log", "schedule.log.1", "schedule.log.2"])
        #expect(try String(contentsOf: url, encoding: .utf8).hasPrefix("round 4"))
    }
}
