import Foundation
import Testing

import CircadiaApp

/// Tests that programs of the system run without blocking, and give their outputs.
@Suite("System tools")
struct SystemToolTests {
    /// More bytes than a pipe can hold on any system.
    private let megabyte = 1 << 20

    @Test(
        "A child that fills its outputs before it reads its input does not block",
        // A deadlock would never end. Other tests of the process may take minutes.
        .timeLimit(.minutes(30)))
    func fullPipes() async throws {
        let script = """
            head -c \(megabyte) /dev/zero | tr '\\0' x
            head -c \(megabyte) /dev/zero | tr '\\0' y >&2
            wc -c
            """
        let outcome = try await SystemTool.run(
            "sh", ["-c", script], input: String(repeating: "i", count: megabyte))
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix(String(repeating: "x", count: megabyte)))
        #expect(
            outcome.output.dropFirst(megabyte).trimmingCharacters(in: .whitespacesAndNewlines)
                == "\(megabyte)")
        #expect(outcome.errors == String(repeating: "y", count: megabyte))
    }

    @Test("A child that reads nothing of a large input is no failure")
    func unreadInput() async throws {
        let outcome = try await SystemTool.run(
            "true", [], input: String(repeating: "i", count: megabyte))
        #expect(outcome.status == 0 && outcome.output.isEmpty && outcome.errors.isEmpty)
    }

    @Test("Exit codes are as a shell shows them; a failure names the command and the complaint")
    func failures() async throws {
        #expect(try await SystemTool.run("sh", ["-c", "exit 7"]).status == 7)
        #expect(try await SystemTool.run("sh", ["-c", "kill -TERM $$"]).status == 128 + SIGTERM)
        await #expect(
            throws: ScheduleError.toolFailed(command: "sh -c echo no >&2; exit 1", complaint: "no")
        ) { try await SystemTool.require("sh", ["-c", "echo no >&2; exit 1"]) }
        await #expect(
            throws: ScheduleError.toolFailed(command: "sh -c exit 3", complaint: "exit code 3")
        ) { try await SystemTool.require("sh", ["-c", "exit 3"]) }
        await #expect(throws: ScheduleError.toolMissing(name: "no-such-tool")) {
            try await SystemTool.run("no-such-tool", [])
        }
    }
}
