import ArgumentParser
import CircadiaApp
import CircadiaHub
import CircadiaKernels
import Foundation

/// `circadia doctor`: shows the instruction set, threads and memory speed, and checks the kernels.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Show the instruction set, threads, memory and models, and check the kernels.")

    @OptionGroup var output: OutputOptions

    struct Finding: Encodable {
        let isa: String
        let isaChoices: String
        let threads: Int
        let openmp: Bool
        let accelerate: Bool
        let bandwidth: Bandwidth
        let kernels: [String: String]
        let checks: [KernelCheck.Outcome]
        let models: [String]
        let modelFolder: String
    }

    /// What this machine reads from memory, in bytes a second.
    struct Bandwidth: Encodable {
        let oneThread: Double
        let allThreads: Double

        static func measure() -> Bandwidth {
            let buffer = MemoryBandwidth.makeBuffer(
                physicalMemory: ProcessInfo.processInfo.physicalMemory)
            return Bandwidth(
                oneThread: MemoryBandwidth.measure(buffer, threads: 1),
                allThreads: MemoryBandwidth.measure(buffer, threads: KernelRuntime.threads))
        }
    }

    func run() throws {
        try KernelRuntime.configure()
        let active = KernelRuntime.variants.filter(\.isActive)
        let finding = Finding(
            isa: KernelRuntime.isa, isaChoices: KernelRuntime.isaChoices,
            threads: KernelRuntime.threads, openmp: KernelRuntime.hasThreads,
            accelerate: KernelRuntime.usesAccelerate,
            bandwidth: .measure(),
            kernels: Dictionary(active.map { ($0.kernel, $0.name) }) { $1 },
            checks: KernelCheck.outcomes(of: active),
            models: ModelStore.list().map(\.name), modelFolder: ModelStore.root.path)
        if output.json {
            try output.console.json(finding, pretty: true)
        } else {
            show(finding)
        }
        if finding.checks.contains(where: { !$0.ok }) { throw ExitCode(1) }
    }

    private func show(_ finding: Finding) {
        let console = output.console
        console.result("instruction set  \(finding.isa) (of \(finding.isaChoices))")
        console.result(
            "threads          \(finding.threads)\(finding.openmp ? "" : " (built without OpenMP)")")
        if finding.accelerate {
            console.result("f32 products     Accelerate, from 64 tokens on")
        }
        console.result(
            String(
                format: "memory           %.1f GB/s read by one thread, %.1f GB/s by %d",
                finding.bandwidth.oneThread / 1e9, finding.bandwidth.allThreads / 1e9,
                finding.threads))
        console.result("models           \(finding.models.joined(separator: ", "))")
        console.result("model folder     \(finding.modelFolder)")
        console.result("kernels, checked against the plain Swift reference")
        for check in finding.checks.sorted(by: { $0.kernel < $1.kernel }) {
            let kernel = check.kernel.padding(toLength: 24, withPad: " ", startingAt: 0)
            let variant = check.variant.padding(toLength: 12, withPad: " ", startingAt: 0)
            let verdict =
                check.ok
                ? "ok"
                : String(format: "WRONG by %.3g (at most %.3g)", check.difference, check.tolerance)
            console.result("  \(kernel) \(variant) \(verdict)")
        }
    }
}
