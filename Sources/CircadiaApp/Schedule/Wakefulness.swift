import Foundation
import Subprocess

/// Keeps the machine from falling asleep, through a helper program of the system. The helper ends
/// when this process ends, even if it is killed.
enum Wakefulness {
    /// The time after which a helper that still runs counts as accepted.
    private static let refusalTime = Duration.milliseconds(300)

    /// The helper's command; nil if the system has none.
    private static var command: [String]? {
        #if os(macOS)
            guard let tool = SystemTool.find("caffeinate") else { return nil }
            return [tool.path, "-i", "-s", "-w", "\(getpid())"]
        #else
            guard let tool = SystemTool.find("systemd-inhibit") else { return nil }
            // `cat` ends with its input, which ends with this process.
            return [
                tool.path, "--what=idle:sleep", "--who=Circadia", "--why=A night is running",
                "--mode=block", "cat",
            ]
        #endif
    }

    /// Runs `operation` while the machine is kept awake.
    ///
    /// - Parameter operation: receives whether the machine is kept awake; it runs in either case.
    /// - Returns: the result of `operation`.
    /// - Throws: the error of `operation`.
    static func during<Result: Sendable>(
        _ operation: (_ isKeptAwake: Bool) async throws -> Result
    ) async throws -> Result {
        guard let command = command.map(SystemTool.inBackground) else {
            return try await operation(false)
        }
        var hasBegun = false
        do {
            return try await Subprocess.run(
                .path(.init(command[0])), arguments: Arguments(Array(command.dropFirst())),
                input: .inputWriter, output: .discarded, error: .discarded
            ) { execution in
                let pid = execution.processIdentifier.value
                try await Task.sleep(for: refusalTime)
                hasBegun = true
                let result = try await operation(SystemTool.isRunning(pid))
                if SystemTool.isRunning(pid) { kill(pid, SIGTERM) }
                try? await execution.standardInputWriter.finish()
                return result
            }.closureResult
        } catch let error as SubprocessError where !hasBegun {
            _ = error
            return try await operation(false)
        }
    }
}
