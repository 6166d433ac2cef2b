import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Programs of the system that a schedule is made with, such as `crontab`.
enum Tool {
    /// What a run left.
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String

        /// The first line of what it complained about.
        var complaint: String {
            errors.split(separator: "\n").first.map(String.init) ?? "exit code \(status)"
        }
    }

    /// Where a program is on the path; nil where it is not.
    static func find(_ name: String) -> URL? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":")
            .map { URL(fileURLWithPath: String($0)).appendingPathComponent(name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    /// Runs a program to its end; for short outputs.
    ///
    /// - Throws: `CommandFailure` where it is not on the path or cannot be started.
    static func run(_ name: String, _ arguments: [String], input: String = "") throws -> Outcome {
        guard let url = find(name) else {
            throw CommandFailure("\(name) is not on the path")
        }
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stderr
        // A program that does not read its input is no reason to end.
        signal(SIGPIPE, SIG_IGN)
        do { try process.run() } catch {
            throw CommandFailure("\(url.path) cannot be run: \(error.localizedDescription)")
        }
        try? stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try? stdin.fileHandleForWriting.close()
        let output = stdout.fileHandleForReading.readDataToEndOfFile()
        let errors = stderr.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self))
    }

    /// Runs a program that must succeed.
    ///
    /// - Throws: `CommandFailure` with what it complained about.
    @discardableResult
    static func require(
        _ name: String, _ arguments: [String], input: String = ""
    ) throws -> String {
        let outcome = try run(name, arguments, input: input)
        guard outcome.status == 0 else {
            throw CommandFailure(
                "\(name) \(arguments.joined(separator: " ")): \(outcome.complaint)")
        }
        return outcome.output
    }
}
