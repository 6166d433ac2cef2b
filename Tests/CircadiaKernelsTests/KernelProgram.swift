import Foundation

/// A run of the program of Tests/KernelProgram: `list` or `serve`.
final class KernelProgram {
    /// How the program was built, and the command that runs it.
    struct Build: Sendable {
        /// "emulated" or "sanitized", for messages.
        let name: String
        /// The command's words; none where the build is not there. `make test` makes the builds and
        /// names their commands in the environment.
        let command: [String]

        /// For another processor, under an emulator.
        static let emulated = Build(name: "emulated", variable: "CIRCADIA_EMULATED_KERNELS")
        /// For this processor, with AddressSanitizer and UndefinedBehaviorSanitizer.
        static let sanitized = Build(name: "sanitized", variable: "CIRCADIA_SANITIZED_KERNELS")

        private init(name: String, variable: String) {
            self.name = name
            let value = ProcessInfo.processInfo.environment[variable] ?? ""
            command = value.split(separator: " ").map(String.init)
        }
    }

    /// How the program ended, for where it should have gone on, and what it said on standard error.
    struct End: Error, CustomStringConvertible {
        var build: String
        var reason: Process.TerminationReason
        var status: Int32
        var message: String

        var description: String {
            let kind = reason == .exit ? "status" : "signal"
            return "the \(build) program ended: \(kind) \(status), \(message)"
        }
    }

    private let build: Build
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let messages = Pipe()

    /// `processor` is the one to emulate, where one is emulated.
    init(_ build: Build, _ task: String, processor: String? = nil, isa: String? = nil) throws {
        self.build = build
        // A program that has ended must show as an error of `write`, not end this process.
        signal(SIGPIPE, SIG_IGN)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = build.command + [task]
        var environment = ProcessInfo.processInfo.environment
        // What is set for this processor means nothing to another one.
        environment["CIRCADIA_ISA"] = isa ?? ""
        environment["QEMU_CPU"] = processor
        // A search for leaks at the end is not allowed everywhere, and kernels allocate nothing.
        environment["ASAN_OPTIONS"] = "detect_leaks=0"
        process.environment = environment
        process.standardInput = input
        process.standardOutput = output
        process.standardError = messages
        try process.run()
    }

    func write(_ data: Data) throws { try input.fileHandleForWriting.write(contentsOf: data) }

    /// Reads `byteCount` bytes; fewer are an error.
    func read(byteCount: Int) throws -> Data {
        var data = Data()
        while data.count < byteCount {
            let more = try output.fileHandleForReading.read(upToCount: byteCount - data.count)
            guard let more, !more.isEmpty else { throw CocoaError(.fileReadUnknown) }
            data.append(more)
        }
        return data
    }

    func readAll() throws -> Data { try output.fileHandleForReading.readToEnd() ?? Data() }

    /// Ends the program's input and waits for it.
    @discardableResult
    func end() -> End {
        try? input.fileHandleForWriting.close()
        let message = (try? messages.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        return End(
            build: build.name, reason: process.terminationReason, status: process.terminationStatus,
            message: String(decoding: message, as: UTF8.self))
    }
}
