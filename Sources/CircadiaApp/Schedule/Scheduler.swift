import Foundation

/// What starts a night: a systemd user timer, cron or launchd.
package enum Scheduler: String, Sendable, CaseIterable {
    /// A timer of the person's own systemd.
    case systemd
    /// The person's crontab.
    case cron
    /// An agent of macOS's launchd.
    case launchd

    /// What this system has; the first of them is taken unless a person names another.
    package static func available() async -> [Scheduler] {
        var found: [Scheduler] = []
        for scheduler in allCases where await scheduler.isAvailable() { found.append(scheduler) }
        return found
    }

    private func isAvailable() async -> Bool {
        switch self {
        // It answers only where a user's manager runs.
        case .systemd:
            (try? await SystemTool.run("systemctl", ["--user", "show-environment"]))?.status == 0
        case .cron: SystemTool.find("crontab") != nil && SystemTool.find("launchctl") == nil
        case .launchd: SystemTool.find("launchctl") != nil
        }
    }

    /// Puts an entry in, in place of an earlier one of the same folder.
    ///
    /// - Throws: `ScheduleError`, or what the file system says.
    package func install(_ entry: ScheduleEntry) async throws {
        switch self {
        case .cron:
            var table = try await Self.readCronTable()
            table.install(entry)
            try await SystemTool.require("crontab", ["-"], input: table.text)
        case .systemd:
            let (service, timer) = try Self.systemdFiles(entry.name)
            try Self.write(SystemdUnits.service(entry), to: service)
            try Self.write(SystemdUnits.timer(entry), to: timer)
            try await SystemTool.require("systemctl", ["--user", "daemon-reload"])
            try await SystemTool.require(
                "systemctl", ["--user", "enable", "--now", timer.lastPathComponent])
        case .launchd:
            let file = try Self.launchdFile(entry.name)
            let domain = "gui/\(getuid())"
            // One that is loaded must go before another of its label can come.
            _ = try? await SystemTool.run("launchctl", ["bootout", domain, file.path])
            try Self.write(LaunchAgent(entry).plist(), to: file)
            try await SystemTool.require("launchctl", ["bootstrap", domain, file.path])
        }
    }

    /// Takes the entry of a name out.
    ///
    /// - Returns: whether there was one.
    /// - Throws: as `install`.
    package func remove(_ name: String) async throws -> Bool {
        guard try await isInstalled(name) else { return false }
        switch self {
        case .cron:
            var table = try await Self.readCronTable()
            table.remove(name)
            try await SystemTool.require("crontab", ["-"], input: table.text)
        case .systemd:
            let (service, timer) = try Self.systemdFiles(name)
            try await SystemTool.require(
                "systemctl", ["--user", "disable", "--now", timer.lastPathComponent])
            for file in [service, timer] { try? FileManager.default.removeItem(at: file) }
            try await SystemTool.require("systemctl", ["--user", "daemon-reload"])
        case .launchd:
            let file = try Self.launchdFile(name)
            _ = try? await SystemTool.run("launchctl", ["bootout", "gui/\(getuid())", file.path])
            try FileManager.default.removeItem(at: file)
        }
        return true
    }

    /// Whether the entry of a name is there.
    package func isInstalled(_ name: String) async throws -> Bool {
        switch self {
        case .cron: try await Self.readCronTable().contains(name)
        case .systemd:
            FileManager.default.fileExists(atPath: try Self.systemdFiles(name).timer.path)
        case .launchd: FileManager.default.fileExists(atPath: try Self.launchdFile(name).path)
        }
    }

    /// What the entry says, for people; empty where there is none.
    package func text(of name: String) async throws -> String {
        switch self {
        case .cron: try await Self.readCronTable().lines(of: name).joined(separator: "\n")
        case .systemd:
            (try? String(contentsOf: Self.systemdFiles(name).service, encoding: .utf8)) ?? ""
        case .launchd:
            (try? String(contentsOf: Self.launchdFile(name), encoding: .utf8)) ?? ""
        }
    }

    private static func readCronTable() async throws -> CronTable {
        let outcome = try await SystemTool.run("crontab", ["-l"])
        if outcome.status == 0 { return CronTable(outcome.output) }
        // Anything else, such as no right to use cron, must not be taken for an empty table.
        guard outcome.errors.lowercased().contains("no crontab") else {
            throw ScheduleError.toolFailed(command: "crontab -l", complaint: outcome.complaint)
        }
        return CronTable("")
    }

    private static func home() throws -> URL {
        guard let home = ProcessInfo.processInfo.environment["HOME"], !home.isEmpty else {
            throw ScheduleError.homeMissing
        }
        return URL(fileURLWithPath: home, isDirectory: true)
    }

    private static func systemdFiles(_ name: String) throws -> (service: URL, timer: URL) {
        let given = ProcessInfo.processInfo.environment["XDG_CONFIG_HOME"] ?? ""
        let folder =
            try given.isEmpty
            ? home().appendingPathComponent(".config")
            : URL(fileURLWithPath: given, isDirectory: true)
        let units = folder.appendingPathComponent("systemd/user", isDirectory: true)
        return (
            units.appendingPathComponent(name + ".service"),
            units.appendingPathComponent(name + ".timer")
        )
    }

    private static func launchdFile(_ name: String) throws -> URL {
        try home().appendingPathComponent("Library/LaunchAgents", isDirectory: true)
            .appendingPathComponent(LaunchAgent.label(name) + ".plist")
    }

    private static func write(_ text: String, to file: URL) throws {
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try DurableFile.replace(file, with: text, mode: 0o644)
    }
}
