import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of scheduled nights: the entries of schedulers and the commands that they start. Scripts
/// on the path replace the system's programs.
@Suite("Schedule")
struct ScheduleTests {
    private let folder: Program.Folder
    /// A folder whose name has every character that needs quoting.
    private let home = "my 50% 'home' $x"

    init() throws {
        folder = try Program.Folder()
        try tool("systemctl", "exit 1")
        try tool(
            "crontab",
            """
            case "$1" in
            -l) cat "$TABLE" 2>/dev/null || { echo "no crontab for you" >&2; exit 1; } ;;
            -) cat >"$TABLE.new" && mv "$TABLE.new" "$TABLE" ;;
            esac
            """)
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent(home), withIntermediateDirectories: true)
    }

    /// Puts a script on the path.
    private func tool(_ name: String, _ script: String) throws {
        let file = try folder.write("#!/bin/sh\n\(script)\n", to: "bin/\(name)")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: file.path)
    }

    private var environment: [String: String] {
        [
            "PATH": folder.url.appendingPathComponent("bin").path + ":/usr/bin:/bin",
            "TABLE": folder.url.appendingPathComponent("table").path,
            "CALLS": folder.url.appendingPathComponent("calls").path,
            "HOME": folder.url.path, "XDG_CONFIG_HOME": "",
            "CIRCADIA_POWER_SUPPLY": folder.url.appendingPathComponent("power").path,
            "CIRCADIA_HOME": ProcessInfo.processInfo.environment["CIRCADIA_HOME"]
                ?? FileManager.default.homeDirectoryForCurrentUser
                .appendingPathComponent(".cache/circadia").path,
        ]
    }

    private func schedule(_ arguments: String...) throws -> Program.Outcome {
        try Program.run(["schedule"] + arguments, in: folder, environment: environment)
    }

    private var place: [String] { ["--folder", folder.url.appendingPathComponent(home).path] }

    private func install(_ more: String...) throws -> Program.Outcome {
        try Program.run(
            ["schedule", "install", "--at", "03:05"] + place + more, in: folder,
            environment: environment)
    }

    /// The command that the shell gets from a line of a crontab: without its time, `\%` as `%`, up
    /// to a bare `%`.
    private func command(ofCronLine line: String) -> String {
        var result = ""
        var isEscaped = false
        for character in line.split(separator: " ", maxSplits: 5)[5] {
            if isEscaped, character == "%" { result.removeLast() }
            if character == "%", !isEscaped { break }
            result.append(character)
            isEscaped = !isEscaped && character == "\\"
        }
        return result
    }

    @Test("A crontab keeps every other line; installing twice is installing once")
    func cron() throws {
        let others = "# mine\n15 4 * * * echo 100\\% # not yours\n"
        try folder.write(others, to: "table")
        #expect(try install().status == 0)
        let first = try folder.read("table")
        #expect(first.hasPrefix(others) && first.contains("\n5 3 * * * "))
        let again = try install("--", "--iters", "7")
        #expect(again.status == 0 && again.output.contains("03:05 by cron"))
        let table = try folder.read("table")
        #expect(table.components(separatedBy: "# begin circadia").count == 2)
        #expect(table.hasPrefix(others) && table.contains(" -- --iters 7\n"))
        #expect(table != first)

        let other = try Program.run(
            ["schedule", "install", "--at", "4:00"], in: folder, environment: environment)
        #expect(other.status == 0)
        let status = try Program.json(
            try Program.run(
                ["schedule", "status", "--json"] + place, in: folder, environment: environment))
        #expect(status["installed"] as? Bool == true && status["scheduler"] as? String == "cron")
        let removed = try Program.run(
            ["schedule", "remove"] + place, in: folder, environment: environment)
        #expect(removed.status == 0)
        let left = try folder.read("table")
        #expect(left.hasPrefix(others) && left.contains("0 4 * * * "))
        #expect(left.components(separatedBy: "# begin circadia").count == 2)
        #expect(try schedule("remove").status == 0)
        #expect(try folder.read("table") == others)
        #expect(try schedule("remove").status == 2 && schedule("status").status == 2)
    }

    @Test("A crontab that cannot be read is left alone; wrong flags are refused")
    func refusals() throws {
        try tool(
            "crontab",
            "[ \"$1\" = -l ] && { echo 'you may not use cron' >&2; exit 1; }; touch \"$TABLE\"")
        let outcome = try install()
        #expect(outcome.status == 1 && outcome.errors.contains("you may not use cron"))
        #expect(!folder.exists("table"))
        let flags = try install("--", "--iterations", "7")
        #expect(flags.status == 1 && flags.errors.contains("--iterations"))
        #expect(try schedule("install", "--at", "25:00").status == 64)
        let gone = try schedule("install", "--at", "3:00", "--folder", "nowhere")
        #expect(gone.status == 1 && gone.errors.contains("nowhere"))
    }

    @Test("Where systemd runs for the user, a timer and a service are made, and removed")
    func systemd() throws {
        try tool("systemctl", "echo \"$@\" >>\"$CALLS\"")
        let outcome = try install("--", "--rag-dir", "a $b %c \"d\"")
        #expect(outcome.status == 0 && outcome.output.contains("systemd"))
        #expect(outcome.errors.contains("enable-linger"))
        let units = ".config/systemd/user"
        let names = try folder.names(units)
        try #require(names.count == 2)
        let service = try folder.read("\(units)/\(names[0])")
        #expect(service.contains(#""a $$b %%c \"d\"""#) && service.contains("my 50%% 'home' $$x"))
        #expect(service.contains("Nice=10") && service.contains("SuccessExitStatus=2 75"))
        let timer = try folder.read("\(units)/\(names[1])")
        #expect(timer.contains("OnCalendar=*-*-* 03:05:00") && timer.contains("Persistent=true"))
        #expect(try folder.read("calls").contains("--user enable --now \(names[1])"))
        let removed = try Program.run(
            ["schedule", "remove"] + place, in: folder, environment: environment)
        #expect(removed.status == 0)
        #expect(try folder.names(units).isEmpty && !folder.exists("table"))
        #expect(try folder.read("calls").contains("--user disable --now \(names[1])"))
    }

    @Test("The agent of launchd is a property list that says the same")
    func launchd() throws {
        try tool("launchctl", "echo \"$@\" >>\"$CALLS\"")
        #expect(try install("--on-battery", "--", "--rag-dir", "a <b> & c").status == 0)
        let names = try folder.names("Library/LaunchAgents")
        try #require(names.count == 1)
        let bytes = try #require(folder.bytes("Library/LaunchAgents/\(names[0])"))
        let list = try PropertyListSerialization.propertyList(from: bytes, format: nil)
        let agent = try #require(list as? [String: Any])
        let label = try #require(agent["Label"] as? String)
        #expect(names[0] == label + ".plist")
        let words = try #require(agent["ProgramArguments"] as? [String])
        #expect(words[1...2] == ["schedule", "run"] && words.contains("--on-battery"))
        #expect(words.suffix(3) == ["--", "--rag-dir", "a <b> & c"])
        #expect(words[4].hasSuffix("/" + home))
        let times = try #require(agent["StartCalendarInterval"] as? [[String: Int]])
        #expect(times == [["Hour": 3, "Minute": 5], ["Minute": 30]])
        #expect(agent["ProcessType"] as? String == "Background")
        #expect(try folder.read("calls").contains("bootstrap gui/"))
        let removed = try Program.run(
            ["schedule", "remove"] + place, in: folder, environment: environment)
        #expect(removed.status == 0)
        #expect(try folder.names("Library/LaunchAgents").isEmpty)
    }

    // MARK: What is started

    private func writeNight() throws {
        try TinyModel.write(in: folder)
        try folder.writeLog(to: home + "/data/memories.jsonl")
    }

    private var flags: [String] {
        [
            "--", "--model", folder.url.appendingPathComponent("tiny").path + "/", "--rehearsal",
            "0", "--no-gate", "--batch-size", "2", "--report-questions", "0", "--iters",
        ]
    }

    private func run(_ more: [String]) throws -> Program.Outcome {
        try Program.run(
            ["schedule", "run", "--at", "03:05"] + place + more, in: folder,
            environment: environment)
    }

    private func children(of pid: pid_t) throws -> [pid_t] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["pgrep", "-P", "\(pid)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let found = String(decoding: data, as: UTF8.self).split(separator: "\n")
            .compactMap { pid_t($0) }
        #expect(!found.isEmpty)
        return found
    }

    private func log() throws -> String { try folder.read(home + "/logs/schedule.log") }

    /// Makes every past night due again.
    private func forgetNights() throws {
        try folder.write(#"{"settled":"2020-01-01T00:00:00Z"}"#, to: home + "/logs/schedule.json")
    }

    @Test(
        "What cron starts holds one night for all that were missed, says one line and then nothing",
        .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
    func night() throws {
        try writeNight()
        try tool("systemd-inhibit", "echo \"$@\" >>\"$CALLS\"; exec cat")
        let installed = try Program.run(
            ["schedule", "install", "--at", "03:05"] + place + flags + ["2"], in: folder,
            environment: environment)
        #expect(installed.status == 0, "\(installed.errors)")
        let line = try #require(
            try folder.read("table").split(separator: "\n").first { $0.hasPrefix("5 3 ") })
        let script = command(ofCronLine: String(line))
        func start() throws -> Program.Outcome {
            // The prelude is the command that cron's shell gets.
            try Program.run(
                ["--version"], in: folder, environment: environment,
                prelude: "\(script); code=$?; [ $code -eq 0 ] || exit $code; exit 0")
        }
        let early = try start()
        #expect(early.status == 0 && early.output.isEmpty && early.errors.isEmpty)
        #expect(!folder.exists(home + "/adapters"))
        try forgetNights()
        let first = try start()
        #expect(first.status == 0 && first.errors.isEmpty, "\(first.errors)")
        #expect(first.output.hasPrefix("circadia: night 0001: promoted"))
        #expect(first.output.split(separator: "\n").count == 1)
        #expect(folder.exists(home + "/logs/report.html"))
        #expect(try folder.mode(home + "/logs/schedule.log") == 0o600)
        let again = try start()
        #expect(again.status == 0 && again.output.isEmpty)
        #expect(try folder.jsonLines(home + "/adapters/nights.jsonl").count == 1)
        #if os(Linux)
            #expect(try folder.read("calls").contains("--what=idle:sleep"))
        #endif
        let status = try Program.json(
            try Program.run(
                ["schedule", "status", "--json"] + place, in: folder, environment: environment))
        #expect((status["last_summary"] as? String)?.hasPrefix("night 0001") == true)
    }

    @Test(
        "On battery a night is put off, and its log is put aside when it is large",
        .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
    func battery() throws {
        try writeNight()
        try folder.write("Battery\n", to: "power/BAT0/type")
        try folder.write("Discharging\n", to: "power/BAT0/status")
        try folder.write(
            String(repeating: "x", count: 1_000_001), to: home + "/logs/schedule.log")
        let outcome = try run(["--now"] + flags + ["2"])
        #expect(outcome.status == 75 && outcome.output.contains("battery"))
        #expect(try log().split(separator: "\n").count == 1)
        #expect(folder.exists(home + "/logs/schedule.log.1"))
        try forgetNights()
        let silent = try run(flags + ["2"])
        #expect(silent.status == 75 && silent.output.isEmpty)
        #expect(!folder.exists(home + "/adapters/nights.jsonl"))
        // Mains power, then only a wireless mouse's battery.
        try folder.write("Mains\n", to: "power/AC/type")
        try folder.write("1\n", to: "power/AC/online")
        #expect(try run(flags + ["2"]).status == 0)
        try folder.write("0\n", to: "power/AC/online")
        try folder.write("Device\n", to: "power/BAT0/scope")
        #expect(try run(["--now"] + flags + ["2"]).status == 0)
    }

    @Test(
        "A night that finds itself on battery is put off, and goes on when there is power again",
        .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
    func pluggedOut() throws {
        try writeNight()
        try forgetNights()
        try folder.write("Battery\n", to: "power/BAT0/type")
        try folder.write("Charging\n", to: "power/BAT0/status")
        let arguments = ["schedule", "run", "--at", "03:05"] + place + flags + ["1000"]
        let night = try RunningProgram(arguments, in: folder, environment: environment)
        try night.wait(for: "no training") { (try? log().contains("step 1 of")) ?? false }
        try folder.write("Discharging\n", to: "power/BAT0/status")
        let outcome = try night.finish()
        #expect(outcome.status == 75 && outcome.output.contains("resumes later"))
        #expect(try log().contains("the machine runs on battery now"))
        let early = try Program.run(arguments, in: folder, environment: environment)
        #expect(early.status == 75 && early.output.isEmpty)
        try folder.write("Full\n", to: "power/BAT0/status")
        let rest = try Program.run(arguments, in: folder, environment: environment)
        #expect(rest.status == 0, "\(rest.errors)")
        #expect(try log().contains("resuming the night of"))
        #expect(try folder.jsonLines(home + "/adapters/nights.jsonl").count == 1)
    }

    @Test(
        "An interrupted night goes on when it is next started; two never run at once",
        .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
    func interruption() throws {
        try writeNight()
        try forgetNights()
        let arguments = ["schedule", "run", "--at", "03:05"] + place + flags + ["1000"]
        let night = try RunningProgram(arguments, in: folder, environment: environment)
        try night.wait(for: "no training") { (try? log().contains("step 1 of")) ?? false }
        let second = try run(["--now"] + flags + ["2"])
        #expect(second.status == 2 && second.output.contains("is running"))
        // 0 is PRIO_PROCESS, whose type differs from system to system.
        for child in try children(of: night.pid) {
            #expect(getpriority(0, id_t(child)) >= 10)
        }
        night.send(signal: SIGTERM)
        let outcome = try night.finish()
        #expect(outcome.status == 75 && outcome.output.contains("resumes later"))
        let rest = try Program.run(arguments, in: folder, environment: environment)
        #expect(rest.status == 0, "\(rest.errors)")
        #expect(try log().contains("resuming the night of"))
        #expect(try folder.jsonLines(home + "/adapters/nights.jsonl").count == 1)
    }

    @Test(
        "A night does not begin while a chat is in use, and one that runs waits for it",
        .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
    func chat() throws {
        try writeNight()
        try forgetNights()
        let data = folder.url.appendingPathComponent(home + "/data")
        let log = data.appendingPathComponent("memories.jsonl").path
        func chat() throws -> RunningProgram {
            let chat = try RunningProgram(
                ["chat", "--model", TinyModel.path, "--max-tokens", "3", "--memory-file", log],
                in: folder)
            chat.send("Hello")
            try chat.wait(for: "no reply") { !chat.output.isEmpty }
            return chat
        }
        /// Makes the last message old.
        func grow(old file: URL) throws {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -1000)], ofItemAtPath: file.path)
        }
        let lock = data.appendingPathComponent(".chat.lock")
        let first = try chat()
        let putOff = try run(["--now"] + flags + ["2"])
        #expect(putOff.status == 75 && putOff.output.contains("a chat is in use"))
        _ = try first.finish()

        let night = try RunningProgram(
            ["sleep", "--yield-to-chat", "--memory-file", log, "--adapter-dir", "a/b"]
                + flags.dropFirst() + ["1000000"], in: folder)
        try night.wait(for: "no training") { night.errors.contains("step 1 of") }
        let second = try chat()
        try night.wait(for: "no pause") { night.errors.contains("the night waits") }
        try night.wait(for: "no end of the pause") {
            // Repeated, because the chat touches the file when it logs a reply.
            try grow(old: lock)
            return night.errors.contains("the night continues")
        }
        night.send(signal: SIGTERM)
        #expect(try night.finish().status == 75)
        _ = try second.finish()
    }
}
