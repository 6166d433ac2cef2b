import ArgumentParser
import CircadiaKernels
import Foundation

/// Measures every kernel on shapes of real models and its share of the machine's limits.
@main
struct KernelBenchmarks: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernel-benchmarks",
        abstract: "Measure every kernel on shapes of real models.")

    @Flag(help: "Print JSON lines on standard output instead of a table.")
    var json = false

    @Option(help: ArgumentHelp("Append the same JSON lines to a file.", valueName: "file"))
    var out: String?

    @Option(help: "Threads; 0 means one per processor.")
    var threads = 0

    @Option(help: "Seconds to measure each kernel for.")
    var seconds = 0.2

    @Option(help: "Only kernels or shapes that contain this text.")
    var filter: String?

    @Option(help: "The machine's name, for JSON.")
    var machine = "unknown"

    @Option(help: "The commit, for JSON.")
    var commit = "unknown"

    struct Record: Encodable {
        let machine: String
        let commit: String
        let threads: Int
        let kernel: String
        let variant: String
        let shape: String
        let seconds: Double
        let rate: Double
        let unit: String
        let shareOfLimit: Double?
    }

    /// A limit that shares refer to.
    struct LimitRecord: Encodable {
        let machine: String
        let commit: String
        let threads: Int
        /// `memory`, or the kernel whose multiply-add sets the limit.
        let limit: String
        let rate: Double
        let unit: String
    }

    func validate() throws {
        if threads < 0 { throw ValidationError("--threads must not be negative") }
        if !(seconds > 0) { throw ValidationError("--seconds must be positive") }
    }

    func run() throws {
        try KernelRuntime.configure(threads: threads)
        let before = Limits.measure()
        let blas = BLAS(threads: before.threads)
        let memory = Memory(
            byteCount: Int(min(512 << 20, ProcessInfo.processInfo.physicalMemory / 8)))
        var results: [(benchmark: Benchmark, seconds: Double)] = []
        for make in Suite(memory: memory, blas: blas).benchmarks {
            guard let benchmark = make(), isWanted(benchmark) else { continue }
            note("\(benchmark.kernel) \(benchmark.shape)")
            results.append(
                (benchmark.withoutOperands, benchmark.measure(seconds: seconds, limits: before)))
        }
        let limits = before.merged(with: .measure())
        note("")
        if !json { showHeading(limits, blas) }
        let file = try out.map(openToAppend)
        for limit in limitRecords(limits) {
            let line = try jsonLine(limit)
            try file?.write(contentsOf: Data((line + "\n").utf8))
            if json { write(line) }
        }
        for record in results.map({ record($0, seconds: $1, limits) }) {
            let line = try jsonLine(record)
            try file?.write(contentsOf: Data((line + "\n").utf8))
            if json { write(line) } else { show(record) }
        }
    }

    private func record(_ benchmark: Benchmark, seconds: Double, _ limits: Limits) -> Record {
        var variants = Dictionary(
            KernelRuntime.variants.filter(\.isActive).map { ($0.kernel, $0.name) }
        ) { $1 }
        variants["lora"] = variants["lora_up"]  // of the two kernels that one call runs
        let rate = benchmark.work.amount / seconds
        return Record(
            machine: machine, commit: commit, threads: limits.threads, kernel: benchmark.kernel,
            variant: benchmark.peer ?? variants[benchmark.kernel] ?? "", shape: benchmark.shape,
            seconds: seconds, rate: rate / 1e9, unit: benchmark.work.unit,
            shareOfLimit: benchmark.limit.flatMap { limits[$0] }.map { rate / $0 })
    }

    private func limitRecords(_ limits: Limits) -> [LimitRecord] {
        let arithmetic = Self.arithmetic.compactMap { kernel in
            limits[.arithmetic(kernel: kernel)].map { (kernel, $0, "GOP/s") }
        }
        return ([("memory", limits.bandwidth, "GB/s")] + arithmetic).map { limit, rate, unit in
            LimitRecord(
                machine: machine, commit: commit, threads: limits.threads, limit: limit,
                rate: rate / 1e9, unit: unit)
        }
    }

    /// The kernels whose multiply-add also limits whole models.
    private static let arithmetic = ["matmul_int8", "matmul_f32", "matmul_bf16"]

    private func isWanted(_ benchmark: Benchmark) -> Bool {
        guard let filter else { return true }
        return benchmark.kernel.contains(filter) || benchmark.shape.contains(filter)
    }

    private func showHeading(_ limits: Limits, _ blas: BLAS?) {
        write(
            "\(KernelRuntime.isa), \(limits.threads) threads; limits: reading memory "
                + String(format: "%.1f GB/s", limits.bandwidth / 1e9))
        for kernel in Self.arithmetic {
            guard let peak = limits[.arithmetic(kernel: kernel)] else { continue }
            write(String(format: "  arithmetic of \(kernel) %.0f G operations/s", peak / 1e9))
        }
        write("sgemm for comparison: \(blas?.name ?? "not installed")")
        write(
            Self.column("kernel", 24) + Self.column("variant", 12) + Self.column("shape", 52)
                + "      time         rate        of limit")
    }

    private func show(_ record: Record) {
        let share = record.shareOfLimit.map { String(format: "%5.0f%%", 100 * $0) } ?? ""
        write(
            Self.column(record.kernel, 24) + Self.column(record.variant, 12)
                + Self.column(record.shape, 52)
                + String(format: "%9.1f µs %8.1f ", record.seconds * 1e6, record.rate)
                + Self.column(record.unit, 8) + share)
    }

    private func openToAppend(_ path: String) throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: path) {
            try Data().write(to: URL(fileURLWithPath: path))
        }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.seekToEnd()
        return file
    }

    private func jsonLine(_ record: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(record), as: UTF8.self)
    }

    /// Shows progress on standard error; on a terminal it overwrites the line.
    private func note(_ text: String) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
    }

    private func write(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }

    private static func column(_ text: String, _ width: Int) -> String {
        text.padding(toLength: width, withPad: " ", startingAt: 0)
    }
}
