import Testing

import CircadiaKernels

/// The same cross-check once more, by kernels that AddressSanitizer and UndefinedBehaviorSanitizer
/// watch: results do not show a read outside an operand, or an access off its type's alignment.
extension KernelSuite {
    @Suite(
        .enabled(
            if: !KernelProgram.Build.sanitized.command.isEmpty,
            "CIRCADIA_SANITIZED_KERNELS is not set; make test sets it where clang has sanitizers"))
    struct SanitizedCrossCheckTests {
        @Test(arguments: try SanitizedKernels.variants())
        func variantIsClean(_ variant: VariantName) throws {
            guard variant.isSupported else {
                try Test.cancel("this processor cannot run \(variant.testDescription)")
            }
            let failures = SanitizedKernels.failures(of: variant)
            for failure in failures.prefix(5) { Issue.record("\(failure)") }
        }

        /// What is wrong with each broken variant, as its sanitizer says it.
        private static let faults = [
            "broken_overread": "AddressSanitizer: use-after-poison",
            "broken_underread": "AddressSanitizer: use-after-poison",
            "broken_typed_load": "load of misaligned address",
            "broken_shift": "shift exponent 32 is too large",
        ]

        @Test func brokenVariantsAreSeen() throws {
            let broken = try SanitizedKernels.registry().brokenVariants
            #expect(Set(broken.map(\.name)) == Set(Self.faults.keys))
            for variant in broken {
                let failure = try #require(SanitizedKernels.failures(of: variant).first)
                #expect(failure.contains(Self.faults[variant.name] ?? "a fault"), "\(failure)")
            }
        }

        @Test func everyNativeVariantIsChecked() throws {
            let names = try SanitizedKernels.registry().variants.map(\.testDescription)
            #expect(names == NativeKernels.variants.map(\.testDescription))
        }
    }
}

/// The kernels on this processor, under sanitizers.
private enum SanitizedKernels {
    static func registry() throws -> ProgramKernels.Registry {
        try ProgramKernels.registry(of: .sanitized)
    }

    /// The registry, or nothing where the build is not there.
    static func variants() throws -> [VariantName] {
        KernelProgram.Build.sanitized.command.isEmpty ? [] : try registry().variants
    }

    static func failures(of variant: VariantName) -> [String] {
        CrossCheckRunner(executor: ProgramKernels(.sanitized)).failures(of: variant)
    }
}
