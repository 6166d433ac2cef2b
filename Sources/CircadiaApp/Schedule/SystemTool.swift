import Foundation
import Subprocess

/// Runs programs of the system that a schedule needs, such as `crontab`.
package enum SystemTool {
    /// The result of a run.
    package struct Outcome: Sendable {
        /// The exit code; 128 and the signal's number if a signal ended the program.
        package let status: Int32
        /// Its standard output.
        package let output: String
        /// Its standard error.
        package let errors: String

        /// The first line of its standard error, or its exit code.
        package var complaint: String {
            errors.split(separator: "\n").first.map(String.init) ?? "exit code \(status)"
        }
    }

    /// The most bytes that a program may write to each of its outputs.
    private static let outputLimit = 16 << 20

    /// Finds a program on the path; nil if it is not there.
    package static func find(_ name: String) -> URL? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":")
            .map { URL(fileURLWithPath: String($0)).appendingPathComponent(name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    /// Runs a program to its end. Reads its outputs while writing its input, so that neither side
    /// blocks the other.
    ///
    /// - Parameters:
    ///   - name: the program's name, to find on the path.
    ///   - arguments: its arguments, without its name.
    ///   - input: the text for its standard input.
    /// - Returns: its exit code and outputs, even if it failed.
    /// - Throws: `ScheduleError.toolMissing`, `.toolNotStarted`.
    package static func run(
        _ name: String, _ arguments: [String], input: String = ""
    ) async throws -> Outcome {
        guard let url = find(name) else { throw ScheduleError.toolMissing(name: name) }
        // Ignore SIGPIPE: a program that does not read its input must not end this one.
        signal(SIGPIPE, SIG_IGN)
        do {
            let result = try await Subprocess.run(
                .path(.init(url.path)), arguments: Arguments(arguments), input: .inputWriter,
                output: .string(limit: outputLimit), error: .string(limit: outputLimit)
            ) { execution in
                // The program may end before it has read everything.
                _ = try? await execution.standardInputWriter.write(Array(input.utf8))
                try? await execution.standardInputWriter.finish()
            }
            return Outcome(
                status: result.terminationStatus.shellCode, output: result.standardOutput,
                errors: result.standardError)
        } catch let error as SubprocessError {
            throw ScheduleError.toolNotStarted(path: url.path, reason: "\(error)")
        }
    }

    /// Runs a program that must succeed.
    ///
    /// - Returns: its standard output.
    /// - Throws: the same errors as `run`; `ScheduleError.toolFailed` if its exit code is not 0.
    @discardableResult
    package static func require(
        _ name: String, _ arguments: [String], input: String = ""
    ) async throws -> String {
        let outcome = try await run(name, arguments, input: input)
        guard outcome.status == 0 else {
            throw ScheduleError.toolFailed(
                command: "\(name) \(arguments.joined(separator: " "))",
                complaint: outcome.complaint)
        }
        return outcome.output
    }

    /// Gives a command low priority for processor and disk: puts `nice` and, if the system has it,
    /// `ionice` in front of it.
    static func inBackground(_ command: [String]) -> [String] {
        let nice = find("nice").map { [$0.path, "-n", "10"] } ?? []
        let ionice = find("ionice").map { [$0.path, "-c", "3"] } ?? []
        return nice + ionice + command
    }

    /// Whether a child process still runs; false for a process that is not a child of this one. A
    /// child that has ended can still be waited for.
    static func isRunning(_ pid: pid_t) -> Bool {
        var info = siginfo_t()
        guard waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 else {
            return false
        }
        return info.si_signo == 0
    }
}

extension TerminationStatus {
    /// The exit code as a shell shows it: 128 and the number of the signal that ended the process.
    var shellCode: Int32 {
        switch self {
        case .exited(let code): Int32(code)
        case .signaled(let signal): 128 + Int32(signal)
        }
    }
}
