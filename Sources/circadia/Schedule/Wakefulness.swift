import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Keeps the machine from going to sleep by itself, as long as the value lives. A helper of the system's
/// holds the claim and lets go when this process ends, however it ends.
final class Wakefulness {
    private let process = Process()
    private let pipe = Pipe()

    /// Begins to; nil where the system has no such helper or refuses.
    init?() {
        #if os(macOS)
            guard let url = Tool.find("caffeinate") else { return nil }
            process.arguments = ["-i", "-s", "-w", "\(getpid())"]
        #else
            guard let url = Tool.find("systemd-inhibit") else { return nil }
            // `cat` ends with its input, which ends with this process.
            process.arguments = [
                "--what=idle:sleep", "--who=Circadia", "--why=A night is being slept",
                "--mode=block", "cat",
            ]
        #endif
        process.executableURL = url
        process.standardInput = pipe
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        // A refusal comes at once.
        usleep(300_000)
        guard process.isRunning else { return nil }
    }

    deinit {
        try? pipe.fileHandleForWriting.close()
        if process.isRunning { process.terminate() }
    }
}
