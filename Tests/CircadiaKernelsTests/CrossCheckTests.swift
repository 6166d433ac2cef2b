import Testing

import CircadiaKernels

extension NativeKernels {
    /// The registry of this build.
    static var variants: [VariantName] {
        KernelRuntime.variants.map {
            VariantName(
                kernel: $0.kernel, name: $0.name, isa: $0.isa, isSupported: $0.isSupported,
                isActive: $0.isActive)
        }
    }
}

/// What must be active once an ISA is selected.
enum ISASelection {
    static func check(_ variants: [VariantName], isa: String) {
        let order = ["scalar", "avx2", "avx512", "neon"]
        let allowed = order.prefix(through: order.firstIndex(of: isa) ?? 0)
        for variant in variants where variant.isActive {
            #expect(allowed.contains(variant.isa), "\(variant.testDescription)")
        }
        // Where a kernel has a variant of just this ISA, one of them is active.
        let own = variants.filter { $0.isa == isa && $0.isSupported }
        for kernel in Set(own.map(\.kernel)) {
            #expect(own.contains { $0.kernel == kernel && $0.isActive }, "\(kernel)")
        }
    }
}

extension KernelSuite {
    @Suite struct CrossCheckTests {
        @Test(arguments: NativeKernels.variants)
        func variantAgreesWithScalarAndReference(_ variant: VariantName) throws {
            guard variant.isSupported else {
                try Test.cancel("this processor cannot run \(variant.testDescription)")
            }
            let failures = CrossCheckRunner(executor: NativeKernels()).failures(of: variant)
            for failure in failures.prefix(5) { Issue.record("\(failure)") }
        }

        @Test func everyKernelIsChecked() {
            let checked = CrossCheck.all.reduce(into: Set<String>()) { $0.formUnion($1.kernels) }
            let registered = Set(KernelRuntime.variants.map(\.kernel))
            #expect(registered.subtracting(checked).isEmpty, "kernels without a cross-check")
            #expect(checked.subtracting(registered).isEmpty, "cross-checks of no kernel")
        }

        @Test(arguments: ["scalar", "avx2", "avx512", "neon"])
        func chosenISAIsTheActiveOne(_ isa: String) throws {
            let choices = KernelRuntime.isaChoices.split(separator: ", ").map(String.init)
            guard choices.contains(isa) else {
                try Test.cancel("this processor cannot run \(isa)")
            }
            try KernelRuntime.withISA(isa) {
                #expect(KernelRuntime.isa == isa)
                ISASelection.check(NativeKernels.variants, isa: isa)
            }
        }
    }
}
