import Testing

import CircadiaKernels

/// The same cross-check on another processor's variants (NEON, where this one is no ARM), under
/// emulation.
extension KernelSuite {
    @Suite(
        .enabled(
            if: !KernelProgram.Build.emulated.command.isEmpty,
            "CIRCADIA_EMULATED_KERNELS is not set; make test sets it where qemu can be installed"))
    struct EmulatedCrossCheckTests {
        @Test(arguments: try EmulatedKernels.variants())
        func variantAgreesWithScalarAndReference(_ variant: VariantName) throws {
            guard let processor = try EmulatedKernels.leastProcessor(for: variant) else {
                try Test.cancel("the emulator cannot run \(variant.testDescription)")
            }
            let runner = CrossCheckRunner(executor: ProgramKernels(.emulated, processor: processor))
            let failures = runner.failures(of: variant)
            for failure in failures.prefix(5) { Issue.record("\(failure)") }
        }

        /// What is wrong with each broken variant, as the runner says it.
        private static let faults = [
            "broken_tail": "element 0 is ",
            "broken_rounding": "element 0 is ",
            "broken_alignment": "misalignment 1",
            "broken_overrun": "operand 0 overrun at ",
            "broken_input": "operand 1 was written to",
            "broken_crash": "the emulated program ended: signal 5",
            "broken_isa": "the emulated program ended: signal 4",
        ]

        @Test func brokenVariantsAreSeen() throws {
            let broken = try EmulatedKernels.registry().brokenVariants
            #expect(Set(broken.map(\.name)) == Set(Self.faults.keys))
            for variant in broken {
                let runner = CrossCheckRunner(
                    executor: ProgramKernels(.emulated, processor: "cortex-a53"))
                let failure = try #require(runner.failures(of: variant).first)
                #expect(failure.contains(Self.faults[variant.name] ?? "a fault"), "\(failure)")
            }
        }

        @Test func everyKernelIsChecked() throws {
            let checked = CrossCheck.all.reduce(into: Set<String>()) { $0.formUnion($1.kernels) }
            let registered = Set(try EmulatedKernels.registry().variants.map(\.kernel))
            #expect(registered.subtracting(checked).isEmpty, "kernels without a cross-check")
        }

        @Test(arguments: ["scalar", "neon"])
        func forcedISAIsTheActiveOne(_ isa: String) throws {
            let registry = try EmulatedKernels.registry(forcedISA: isa)
            #expect(registry.isa == isa)
            #expect(registry.status == "ok")
            #expect(registry.brokenVariants.allSatisfy { !$0.isActive })
            ISASelection.check(registry.variants, isa: isa)
        }

        @Test func anOlderProcessorRunsWhatItCan() throws {
            let active = { (processor: String) in
                try EmulatedKernels.registry(processor: processor).variants
                    .first { $0.kernel == "matmul_int8" && $0.isActive }?.name
            }
            #expect(try active("cortex-a53") == "neon")
            #expect(try active("cortex-a76") == "dotprod")
        }

        @Test func anISAOfAnotherProcessorIsRefused() throws {
            let registry = try EmulatedKernels.registry(forcedISA: "avx2")
            #expect(registry.isa == "scalar")
            #expect(registry.status == "this processor cannot run that ISA or variant")
        }
    }
}

/// The kernels on another processor, under emulation.
private enum EmulatedKernels {
    /// The processors to emulate: ARMv8.0, one with dot products as well, one with all there is. On
    /// the least that it says it needs, a variant that uses more runs into an unknown instruction.
    static let processors = ["cortex-a53", "cortex-a76", "max"]

    static func registry(
        processor: String = "max", forcedISA: String? = nil
    ) throws -> ProgramKernels.Registry {
        try ProgramKernels.registry(of: .emulated, processor: processor, forcedISA: forcedISA)
    }

    /// The emulated registry, or nothing where there is no emulator.
    static func variants() throws -> [VariantName] {
        KernelProgram.Build.emulated.command.isEmpty ? [] : try registry().variants
    }

    /// The first of `processors` that can run `variant`, going by its line in the registry.
    static func leastProcessor(for variant: VariantName) throws -> String? {
        try processors.first { processor in
            try registry(processor: processor).variants.contains {
                $0.testDescription == variant.testDescription && $0.isSupported
            }
        }
    }
}
