import Testing

/// The same cross-check on another processor's variants (NEON, where this one is no ARM), under
/// emulation.
extension KernelSuite {
    @Suite(
        .enabled(
            if: EmulatedKernels.command != nil,
            "CIRCADIA_EMULATED_KERNELS is not set; make test sets it where qemu can be installed"))
    struct EmulatedCrossCheckTests {
        @Test(arguments: try EmulatedKernels.variants())
        func variantAgreesWithScalarAndReference(_ variant: VariantName) throws {
            guard variant.isSupported else {
                try Test.cancel("the emulated processor cannot run \(variant.testDescription)")
            }
            let failures = CrossCheckRunner(executor: EmulatedKernels()).failures(of: variant)
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
        ]

        @Test func brokenVariantsAreSeen() throws {
            let broken = try EmulatedKernels.registry().brokenVariants
            #expect(Set(broken.map(\.name)) == Set(Self.faults.keys))
            for variant in broken {
                let runner = CrossCheckRunner(executor: EmulatedKernels())
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

        @Test func anISAOfAnotherProcessorIsRefused() throws {
            let registry = try EmulatedKernels.registry(forcedISA: "avx2")
            #expect(registry.isa == "scalar")
            #expect(registry.status == "this processor cannot run that ISA or variant")
        }
    }
}

extension EmulatedKernels {
    /// The emulated registry, or nothing where there is no emulator.
    fileprivate static func variants() throws -> [VariantName] {
        command == nil ? [] : try registry().variants
    }
}
