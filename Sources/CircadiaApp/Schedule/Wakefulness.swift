import Foundation
import Subprocess

/// Keeps the machine from going to sleep by itself. A helper of the system holds the claim and lets
/// go when this process ends, however it ends.
enum Wakefulness {
    /// Time in which a helper that is refused ends.
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
                tool.path, "--what=idle:sleep", "--who=Circadia", "--why=A night is being slept",
                "--mode=block", "cat",
            ]
        #endif
    }

    /// Runs `operation` while the machine is kept awake.
    ///
    /// - Parameter operation: is told whether the machine is kept awake; it runs in either case.
    /// - Returns: what `operation` returns.
    /// - Throws: what `operation` throws.
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
