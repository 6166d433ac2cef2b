import Foundation

import CircadiaKernels

/// Makes calls in another process: speaks with the program of Tests/KernelProgram, whose main.c and
/// request.h tell the protocol.
///
/// One program serves all calls; where a call ends it, the next one starts another.
final class ProgramKernels: KernelExecutor {
    /// The program is built without threads.
    let threadCounts = [1]
    private let build: KernelProgram.Build
    private let processor: String?
    private var program: KernelProgram?

    init(_ build: KernelProgram.Build, processor: String? = nil) {
        self.build = build
        self.processor = processor
    }

    deinit { program?.end() }

    func run(
        _ call: KernelCall, on variant: VariantName?, misalignment: Int, threads: Int
    ) throws -> KernelOutcome {
        precondition(threads == 1, "the program has one thread")
        let program = try self.program ?? KernelProgram(build, "serve", processor: processor)
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
            throw program.end()
        }
    }

    /// What `kernels list` prints, `CIRCADIA_ISA` being `forcedISA` or not set.
    static func registry(
        of build: KernelProgram.Build, processor: String? = nil, forcedISA: String? = nil
    ) throws -> Registry {
        let program = try KernelProgram(build, "list", processor: processor, isa: forcedISA)
        let lines = String(decoding: try program.readAll(), as: UTF8.self).split(separator: "\n")
        let end = program.end()
        guard let first = lines.first, end.status == 0 else { throw end }
        let selection = first.split(separator: " ", maxSplits: 1).map(String.init)
        let variants = lines.dropFirst().map { line in
            let words = line.split(separator: " ").map(String.init)
            return VariantName(
                kernel: words[0], name: words[1], isa: words[2], isSupported: words[3] == "1",
                isActive: words[4] == "1")
        }
        return Registry(isa: selection[0], status: selection[1], variants: variants)
    }

    /// The ISA that the program's kernels run on, and their variants.
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

extension ProgramKernels {
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
