import CircadiaFiles
import Foundation

/// A scheduler of the system that can start a night.
package enum Scheduler: String, Sendable, CaseIterable {
    /// A timer of the person's own systemd.
    case systemd
    /// The person's crontab.
    case cron
    /// An agent of macOS's launchd.
    case launchd

    /// The schedulers of this system. The first one is the default.
    package static func available() async -> [Scheduler] {
        var found: [Scheduler] = []
        for scheduler in allCases where await scheduler.isAvailable() { found.append(scheduler) }
        return found
    }

    private func isAvailable() async -> Bool {
        switch self {
        // The command succeeds only if the person's service manager runs.
        case .systemd:
            (try? await SystemTool.run("systemctl", ["--user", "show-environment"]))?.status == 0
        case .cron: SystemTool.find("crontab") != nil && SystemTool.find("launchctl") == nil
        case .launchd: SystemTool.find("launchctl") != nil
        }
    }

    /// Installs an entry, replacing an earlier one of the same folder.
    ///
    /// - Throws: `ScheduleError`, or an error of the file system.
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
            // A loaded agent must be removed before another with its label can be loaded.
            _ = try? await SystemTool.run("launchctl", ["bootout", domain, file.path])
            try Self.write(LaunchAgent(entry).plist(), to: file)
            try await SystemTool.require("launchctl", ["bootstrap", domain, file.path])
        }
    }

    /// Removes the entry of a name.
    ///
    /// - Returns: whether there was one.
    /// - Throws: the same errors as `install`.
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

    /// Whether the entry of a name is installed.
    ///
    /// - Throws: the same errors as `install`.
    package func isInstalled(_ name: String) async throws -> Bool {
        switch self {
        case .cron: try await Self.readCronTable().contains(name)
        case .systemd:
            FileManager.default.fileExists(atPath: try Self.systemdFiles(name).timer.path)
        case .launchd: FileManager.default.fileExists(atPath: try Self.launchdFile(name).path)
        }
    }

    /// The text of the entry, for people; empty if there is none.
    ///
    /// - Throws: the same errors as `install`.
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
        // Any other failure, such as no permission to use cron, does not mean an empty table.
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
