import CKernels

/// What the kernels run on: the ISA that was selected, the threads, and the list of variants.
package enum KernelRuntime {
    /// One implementation of one kernel.
    package struct Variant: Sendable, Equatable {
        /// The kernel's name, such as `rmsnorm`.
        package let kernel: String
        /// The variant's name, such as `avx512`.
        package let name: String
        /// The instruction set it belongs to.
        package let isa: String
        /// Whether this processor can run it.
        package let isSupported: Bool
        /// Whether the dispatch table points at it now.
        package let isActive: Bool
    }

    /// The instruction set in use: `scalar`, `avx2`, `avx512` or `neon`.
    package static var isa: String { String(cString: ck_isa()) }

    /// The names that `CIRCADIA_ISA` accepts on this processor, comma-separated.
    package static var isaChoices: String { String(cString: ck_isa_choices()) }

    /// Checks that `CIRCADIA_ISA`, where it is set, names an ISA that this processor runs.
    ///
    /// `requested`: the variable's value, for the message.
    /// - Throws: `KernelError.unknownISA` or `.unsupportedISA`.
    package static func checkISA(requested: String) throws(KernelError) {
        switch ck_isa_status() {
        case CK_UNKNOWN_VARIANT:
            throw .unknownISA(requested: requested, choices: isaChoices)
        case CK_UNSUPPORTED:
            throw .unsupportedISA(requested: requested, choices: isaChoices)
        default: return
        }
    }

    /// The threads that every kernel uses. Setting it to less than 1 means one per processor.
    package static var threads: Int {
        get { Int(ck_threads()) }
        set { ck_set_threads(Int32(clamping: newValue)) }
    }

    /// Whether the build has OpenMP.
    package static var hasThreads: Bool { ck_has_threads() }

    /// Whether products round to bf16: without instructions for it, they are in f32.
    package static var hasBF16: Bool {
        variants.contains { $0.kernel == "matmul_bf16" && $0.isActive }
    }

    /// Whether large f32 products go to Accelerate (Apple Silicon only).
    package static var usesAccelerate: Bool { ck_has_accelerate() }

    /// Calls `body` while the other threads stand by for the kernels inside, so that many small
    /// ones cost no thread's start. Results are the same; a team inside a team is the outer one.
    ///
    /// A closure that is kept from call to call costs no allocation: hence `@escaping`, because
    /// lending one that may not escape to C makes a copy of it on the heap.
    package static func withTeam(_ body: @escaping () -> Void) {
        var work = TeamWork(body: body)
        withUnsafeMutablePointer(to: &work) { pointer in
            ck_team({ $0?.assumingMemoryBound(to: TeamWork.self).pointee.body() }, pointer)
        }
    }

    /// A closure as it is: memory of the bare type would hold it in a wrapper, made for each call.
    private struct TeamWork {
        let body: () -> Void
    }

    /// Calls `body` for ranges that make up `0 ..< count`, each on a thread of its own, and returns
    /// when all are done. The ranges' borders are multiples of `grain`.
    package static func forRanges(
        of count: Int, grain: Int, _ body: (Range<Int>) -> Void
    ) {
        withoutActuallyEscaping(body) { body in
            var work = RangeWork(body: body)
            withUnsafeMutablePointer(to: &work) { pointer in
                ck_ranges(
                    Int64(count), Int64(grain),
                    { context, begin, end in
                        context?.assumingMemoryBound(to: RangeWork.self).pointee
                            .body(Int(begin)..<Int(end))
                    }, pointer)
            }
        }
    }

    private struct RangeWork {
        let body: (Range<Int>) -> Void
    }

    /// Every registered variant, in the registry's order.
    package static var variants: [Variant] {
        (0..<ck_variant_count()).map { index in
            let variant = ck_variant_at(index)
            return Variant(
                kernel: String(cString: variant.kernel), name: String(cString: variant.name),
                isa: String(cString: variant.isa), isSupported: variant.supported,
                isActive: variant.active)
        }
    }

    /// Selects every kernel's best variant of `isa` and below.
    ///
    /// - Throws: `KernelError.unknownISA` or `.unsupportedISA`.
    package static func use(isa: String) throws(KernelError) {
        switch ck_use_isa(isa) {
        case CK_OK: return
        case CK_UNSUPPORTED: throw .unsupportedISA(requested: isa, choices: isaChoices)
        default: throw .unknownISA(requested: isa, choices: isaChoices)
        }
    }

    /// Points one kernel at one variant, for tests and benchmarks.
    ///
    /// - Throws: `KernelError.unknownISA` or `.unsupportedISA`, naming `kernel/variant`.
    package static func use(variant name: String, of kernel: String) throws(KernelError) {
        switch ck_use_variant(kernel, name) {
        case CK_OK: return
        case CK_UNSUPPORTED:
            throw .unsupportedISA(requested: "\(kernel)/\(name)", choices: isaChoices)
        default: throw .unknownISA(requested: "\(kernel)/\(name)", choices: isaChoices)
        }
    }
}
