import Foundation

/// A run of the program of Tests/EmulatedKernels, under an emulator: `list` or `serve`.
final class EmulatedProgram {
    /// The words of the command that runs it, from `CIRCADIA_EMULATED_KERNELS`; none where that is
    /// not set. `make test` builds the program and sets it.
    static let command: [String] = {
        let value = ProcessInfo.processInfo.environment["CIRCADIA_EMULATED_KERNELS"] ?? ""
        return value.split(separator: " ").map(String.init)
    }()

    /// How the program ended, for where it should have gone on, and what it said on standard error.
    struct End: Error, CustomStringConvertible {
        var reason: Process.TerminationReason
        var status: Int32
        var message: String

        var description: String {
            let kind = reason == .exit ? "status" : "signal"
            return "the emulated program ended: \(kind) \(status), \(message)"
        }
    }

    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let messages = Pipe()

    init(_ task: String, processor: String, isa: String? = nil) throws {
        // A program that has ended must show as an error of `write`, not end this process.
        signal(SIGPIPE, SIG_IGN)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = Self.command + [task]
        // What is set for this processor means nothing to the other one.
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["CIRCADIA_ISA": isa ?? "", "QEMU_CPU": processor]) { $1 }
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
            reason: process.terminationReason, status: process.terminationStatus,
            message: String(decoding: message, as: UTF8.self))
    }
}
