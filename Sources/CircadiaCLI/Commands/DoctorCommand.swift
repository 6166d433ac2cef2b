import ArgumentParser
import CircadiaFormats
import CircadiaKernels
import Foundation

/// `circadia doctor`: what the kernels run on here.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Show the instruction set, threads, kernels and models.")

    @OptionGroup var output: OutputOptions

    struct Finding: Encodable {
        let isa: String
        let isaChoices: String
        let threads: Int
        let openmp: Bool
        let kernels: [String: String]
        let models: [String]
        let modelFolder: String
    }

    func run() throws {
        if let requested = ProcessInfo.processInfo.environment["CIRCADIA_ISA"], !requested.isEmpty {
            try KernelRuntime.checkISA(requested: requested)
        }
        let active = KernelRuntime.variants.filter(\.isActive)
        let finding = Finding(
            isa: KernelRuntime.isa, isaChoices: KernelRuntime.isaChoices,
            threads: KernelRuntime.threads, openmp: KernelRuntime.hasThreads,
            kernels: Dictionary(active.map { ($0.kernel, $0.name) }) { $1 },
            models: ModelStore.list().map(\.name), modelFolder: ModelStore.root.path)
        if output.json { return try output.console.json(finding, pretty: true) }
        let console = output.console
        console.result("instruction set  \(finding.isa) (of \(finding.isaChoices))")
        console.result(
            "threads          \(finding.threads)\(finding.openmp ? "" : " (built without OpenMP)")")
        console.result("models           \(finding.models.joined(separator: ", "))")
        console.result("model folder     \(finding.modelFolder)")
        for kernel in finding.kernels.keys.sorted() {
            let name = kernel.padding(toLength: 24, withPad: " ", startingAt: 0)
            console.result("  \(name) \(finding.kernels[kernel] ?? "")")
        }
    }
}
