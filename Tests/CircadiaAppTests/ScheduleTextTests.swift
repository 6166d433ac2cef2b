import Foundation
import Testing

import CircadiaApp

/// Tests of times of day, and of the texts of crontabs, units and agents.
@Suite("Schedule texts")
struct ScheduleTextTests {
    private let entry: ScheduleEntry

    init() throws {
        entry = ScheduleEntry(
            command: [
                "/opt/circadia", "schedule", "run", "--folder", "/my 50% 'home' $x", "--", "a\"b",
            ],
            folder: "/my 50% 'home' $x", time: try #require(TimeOfDay("3:05")),
            environment: ["CIRCADIA_HOME": "/models 1"], remark: "Made by a test.")
    }

    private func utc() throws -> Calendar {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        return calendar
    }

    @Test("Times of day", arguments: [("3:05", "03:05"), ("23:59", "23:59"), ("0:0", "00:00")])
    func times(text: String, written: String) {
        #expect(TimeOfDay(text)?.description == written)
    }

    @Test(
        "No times of day",
        arguments: ["24:00", "3", "3:60", "-1:00", "3:5:1", "", "a:b", "003:05"])
    func noTimes(text: String) { #expect(TimeOfDay(text) == nil) }

    @Test("The last and the next time that the clock shows it")
    func due() throws {
        let calendar = try utc()
        let day = try #require(
            calendar.date(from: DateComponents(year: 2026, month: 11, day: 24, hour: 3, minute: 5)))
        let time = entry.time
        #expect(time.last(until: day, calendar: calendar) == day)
        #expect(time.last(until: day - 1, calendar: calendar) == day - 86_400)
        #expect(time.last(until: day + 86_399, calendar: calendar) == day)
        #expect(time.next(after: day, calendar: calendar) == day + 86_400)
        #expect(time.next(after: day - 1, calendar: calendar) == day)
    }

    @Test("An entry's name depends on its folder alone")
    func names() {
        #expect(entry.name == ScheduleEntry.name(of: entry.folder))
        #expect(entry.name != ScheduleEntry.name(of: "/other"))
        #expect(entry.name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" })
    }

    @Test("A crontab gets two lines between marks, and every other line stays")
    func cron() {
        let others = "# mine\n15 4 * * * echo 100\\%\n"
        var table = CronTable(others)
        table.install(entry)
        let command =
            #"CIRCADIA_HOME='/models 1' /opt/circadia schedule run --folder "#
            + #"'/my 50''\% '\''home'\'' $x' -- 'a"b'"#
        #expect(
            table.lines(of: entry.name) == [
                "5 3 * * * " + command,
                "# Runs a night that was missed or put off:",
                "30 * * * * " + command,
            ])
        #expect(table.text.hasPrefix(others))
        let once = table
        table.install(entry)
        #expect(table == once)
        #expect(table.contains(entry.name) && !table.contains("other"))
        table.remove(entry.name)
        #expect(table.text == others)
    }

    @Test("systemd gets a service and a timer")
    func systemd() {
        let service = SystemdUnits.service(entry)
        #expect(service.hasPrefix("# Made by a test.\n[Unit]\n"))
        #expect(
            service.contains(
                #"ExecStart="/opt/circadia" "schedule" "run" "--folder" "/my 50%% 'home' $$x" "--" "#
                    + #""a\"b""# + "\n"))
        #expect(service.contains("Environment=\"CIRCADIA_HOME=/models 1\"\n"))
        #expect(service.contains("SuccessExitStatus=2 75\nNice=10\n"))
        let timer = SystemdUnits.timer(entry)
        #expect(timer.contains("OnCalendar=*-*-* 03:05:00\nOnCalendar=*-*-* *:30:00\n"))
        #expect(timer.contains("Persistent=true\n"))
    }

    @Test("launchd gets a property list")
    func launchd() throws {
        let text = try LaunchAgent(entry).plist()
        let list = try PropertyListSerialization.propertyList(from: Data(text.utf8), format: nil)
        let agent = try #require(list as? [String: Any])
        #expect(agent["Label"] as? String == LaunchAgent.label(entry.name))
        #expect(agent["ProgramArguments"] as? [String] == entry.command)
        #expect(agent["EnvironmentVariables"] as? [String: String] == entry.environment)
        #expect(
            agent["StartCalendarInterval"] as? [[String: Int]]
                == [["Hour": 3, "Minute": 5], ["Minute": 30]])
    }

    @Test("A line break or a control character cannot be scheduled")
    func controlCharacters() throws {
        try entry.check()
        let broken = ScheduleEntry(
            command: ["a\nb"], folder: "/", time: entry.time, environment: [:], remark: "")
        #expect(throws: ScheduleError.wordNotSchedulable) { try broken.check() }
    }

    @Test("Linux' power supplies, and what pmset says")
    func power() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("power-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        func supply(_ name: String, _ values: [String: String]) throws {
            let url = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            for (key, value) in values {
                try Data("\(value)\n".utf8).write(to: url.appendingPathComponent(key))
            }
        }
        #expect(!PowerSource.isBattery(supplies: folder))
        try supply("mouse", ["type": "Battery", "scope": "Device", "status": "Discharging"])
        #expect(!PowerSource.isBattery(supplies: folder))
        try supply("BAT0", ["type": "Battery", "status": "Discharging"])
        #expect(PowerSource.isBattery(supplies: folder))
        try supply("AC", ["type": "Mains", "online": "1"])
        #expect(!PowerSource.isBattery(supplies: folder))
        #expect(PowerSource.isBattery(pmset: "Now drawing from 'Battery Power'\n"))
        #expect(!PowerSource.isBattery(pmset: "Now drawing from 'AC Power'\n"))
    }
}
