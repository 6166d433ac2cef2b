import Foundation

/// Makes calls on an emulated processor: speaks with the program of Tests/EmulatedKernels, whose
/// main.c and request.h tell the protocol.
///
/// One program serves all calls; where a call ends it, the next one starts another.
final class EmulatedKernels: KernelExecutor {
    /// The words of the command that runs the program, from `CIRCADIA_EMULATED_KERNELS`; nil where
    /// that is not set. `make test` builds the program and sets it.
    static let command: [String]? = {
        let value = ProcessInfo.processInfo.environment["CIRCADIA_EMULATED_KERNELS"] ?? ""
        let words = value.split(separator: " ").map(String.init)
        return words.isEmpty ? nil : words
    }()

    enum Failure: Error, CustomStringConvertible {
        case noCommand
        case ended(EndedProgram)

        /// How a program ended that should have gone on, and what it printed on standard error.
        struct EndedProgram {
            var reason: Process.TerminationReason
            var status: Int32
            var message: String
        }

        var description: String {
            switch self {
            case .noCommand: "CIRCADIA_EMULATED_KERNELS is not set"
            case .ended(let program):
                "the emulated program ended: "
                    + (program.reason == .exit ? "status" : "signal") + " \(program.status), "
                    + program.message
            }
        }
    }

    /// The program is built without threads.
    let threadCounts = [1]
    private var program: Program?

    deinit { program?.end() }

    func run(
        _ call: KernelCall, on variant: VariantName?, misalignment: Int, threads: Int
    ) throws -> KernelOutcome {
        precondition(threads == 1, "the emulated program has one thread")
        let program = try self.program ?? Program(["serve"])
        self.program = program
        let outputs = call.operands.filter { $0.role == .output }
        do {
            try program.write(Self.request(call, on: variant, misalignment: misalignment))
            let message = try program.read(byteCount: 128).prefix { $0 != 0 }
            let results = try outputs.map { output in
                try program.read(byteCount: output.bytes.count).withUnsafeBytes(output.values)
            }
            return KernelOutcome(
                outputs: results,
                fault: message.isEmpty ? nil : String(decoding: message, as: UTF8.self))
        } catch {
            self.program = nil
            throw Failure.ended(program.end())
        }
    }

    /// What `kernels list` prints, `CIRCADIA_ISA` being `forcedISA` or not set.
    static func registry(forcedISA: String? = nil) throws -> Registry {
        let program = try Program(["list"], isa: forcedISA)
        let lines = String(decoding: try program.readAll(), as: UTF8.self).split(separator: "\n")
        let end = program.end()
        guard let first = lines.first, end.status == 0 else { throw Failure.ended(end) }
        let selection = first.split(separator: " ", maxSplits: 1).map(String.init)
        let variants = lines.dropFirst().map { line in
            let words = line.split(separator: " ").map(String.init)
            return VariantName(
                kernel: words[0], name: words[1], isa: words[2], isSupported: words[3] == "1",
                isActive: words[4] == "1")
        }
        return Registry(isa: selection[0], status: selection[1], variants: variants)
    }

    /// The ISA that the emulated processor's kernels run on, and their variants.
    struct Registry {
        var isa: String
        /// What became of `CIRCADIA_ISA`.
        var status: String
        /// As registered, the broken ones left out.
        var variants: [VariantName] { all.filter { !$0.name.hasPrefix("broken") } }
        /// The variants of the program's own that the cross-check must find wrong.
        var brokenVariants: [VariantName] { all.filter { $0.name.hasPrefix("broken") } }
        private let all: [VariantName]

        init(isa: String, status: String, variants: [VariantName]) {
            self.isa = isa
            self.status = status
            all = variants
        }
    }
}

// MARK: Requests

extension EmulatedKernels {
    /// A request as request.h lays it out.
    private static func request(
        _ call: KernelCall, on variant: VariantName?, misalignment: Int
    ) -> Data {
        var data = Data()
        for name in [call.entry.rawValue, variant?.kernel ?? "", variant?.name ?? ""] {
            data.append(contentsOf: name.utf8)
            data.append(contentsOf: [UInt8](repeating: 0, count: 32 - name.utf8.count))
        }
        let counts = [
            misalignment, call.integers.count, call.floats.count, call.operands.count,
        ]
        for value in counts + call.integers { data.append(Int32(value)) }
        for value in call.floats { data.append(value) }
        for operand in call.operands {
            data.append(operand.role.rawValue)
            data.append(Int32(operand.element.byteCount))
            data.append(Int64(operand.bytes.count))
        }
        for operand in call.operands { data.append(contentsOf: operand.bytes) }
        return data
    }
}

extension Data {
    fileprivate mutating func append(_ value: some BitwiseCopyable) {
        Swift.withUnsafeBytes(of: value) { append(contentsOf: $0) }
    }
}

/// A running program with both of its ends.
private final class Program {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let messages = Pipe()

    init(_ arguments: [String], isa: String? = nil) throws {
        guard let command = EmulatedKernels.command else { throw EmulatedKernels.Failure.noCommand }
        // A program that has ended must show as an error of `write`, not end this process.
        signal(SIGPIPE, SIG_IGN)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command + arguments
        // What is set for this processor means nothing to the other one.
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["CIRCADIA_ISA": isa ?? ""]) { $1 }
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
    func end() -> EmulatedKernels.Failure.EndedProgram {
        try? input.fileHandleForWriting.close()
        let message = (try? messages.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        return .init(
            reason: process.terminationReason, status: process.terminationStatus,
            message: String(decoding: message, as: UTF8.self))
    }
}
