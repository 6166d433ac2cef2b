import CKernels

/// What the kernels run on: the ISA, the threads, and the list of variants.
///
/// ISA and threads are those of the whole process and are fixed once, by `configure` or by the first
/// use of a kernel. Tests and benchmarks run single calls with others (`withThreads`, `withISA`,
/// `withVariant`): what these change holds for the kernels that `body` calls and for no other thread,
/// so that tests with different settings can run side by side.
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
        /// Whether kernels that this thread calls run it now.
        package let isActive: Bool
    }

    /// Fixes what the kernels of this process run on. Front ends call it before their first kernel;
    /// libraries never do.
    ///
    /// - Parameters:
    ///   - threads: the threads that every kernel uses; less than 1 means one per processor.
    ///   - isa: the instruction set; nil takes the one that `CIRCADIA_ISA` names, else the best.
    /// - Throws: `KernelError.unknownISA` or `.unsupportedISA`, and `.alreadyConfigured` where the
    ///   process runs with other settings already. The same settings again are no error.
    package static func configure(threads: Int = 0, isa: String? = nil) throws(KernelError) {
        let wanted = Int32(clamping: threads)
        let status = isa.map { ck_configure(wanted, $0) } ?? ck_configure(wanted, nil)
        if status == CK_ALREADY_CONFIGURED {
            throw .alreadyConfigured(isa: Self.isa, threads: Self.threads)
        }
        try check(status, requested: isa ?? ck_requested_isa().map { String(cString: $0) } ?? "")
    }

    /// The instruction set in use: `scalar`, `avx2`, `avx512` or `neon`.
    package static var isa: String { String(cString: ck_isa()) }

    /// The names that `CIRCADIA_ISA` accepts on this processor, comma-separated.
    package static var isaChoices: String { String(cString: ck_isa_choices()) }

    /// The threads that kernels use.
    package static var threads: Int { Int(ck_threads()) }

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
        var work = Work(body: body)
        withUnsafeMutablePointer(to: &work) { pointer in
            ck_team({ $0?.assumingMemoryBound(to: Work.self).pointee.body() }, pointer)
        }
    }

    /// A closure as it is: memory of the bare type would hold it in a wrapper, made for each call.
    private struct Work {
        let body: () -> Void
    }

    /// Calls `body` for ranges that make up `0 ..< count`, each on a thread of its own, and returns
    /// when all are done. The ranges' borders are multiples of `grain`. Kernels in `body`, and ranges
    /// of ranges, run on the thread of their range.
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
}

// MARK: Settings for single calls

extension KernelRuntime {
    /// Calls `body` with `count` threads (less than 1: as many as before) for the kernels in it.
    package static func withThreads<Result, Failure: Error>(
        _ count: Int, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let (status, result) = call(
            ck_settings_t(threads: Int32(clamping: count), isa: nil, kernel: nil, variant: nil),
            body)
        guard status == CK_OK, let result else { preconditionFailure("threads are always valid") }
        return try result.get()
    }

    /// Calls `body` with every kernel's best variant of `isa` and below.
    ///
    /// - Throws: `KernelError.unknownISA` or `.unsupportedISA`, and what `body` throws.
    package static func withISA<Result>(
        _ isa: String, _ body: () throws -> Result
    ) throws -> Result {
        let (status, result) = isa.withCString { isa in
            call(ck_settings_t(threads: 0, isa: isa, kernel: nil, variant: nil), body)
        }
        return try value(status, result, requested: isa)
    }

    /// Calls `body` with one kernel's variant, the others staying as they are.
    ///
    /// - Throws: `KernelError.unknownISA` or `.unsupportedISA`, naming `kernel/variant`, and what
    ///   `body` throws.
    package static func withVariant<Result>(
        _ name: String, of kernel: String, _ body: () throws -> Result
    ) throws -> Result {
        let (status, result) = name.withCString { name in
            kernel.withCString { kernel in
                call(ck_settings_t(threads: 0, isa: nil, kernel: kernel, variant: name), body)
            }
        }
        return try value(status, result, requested: "\(kernel)/\(name)")
    }

    private static func value<Success>(
        _ status: ck_status_t, _ result: Swift.Result<Success, any Error>?, requested: String
    ) throws -> Success {
        try check(status, requested: requested)
        guard let result else { preconditionFailure("the body was not called") }
        return try result.get()
    }

    /// What `ck_with` says, and what `body` came to where it was called.
    private static func call<Success, Failure: Error>(
        _ settings: ck_settings_t, _ body: () throws(Failure) -> Success
    ) -> (ck_status_t, Swift.Result<Success, Failure>?) {
        var result: Swift.Result<Success, Failure>?
        let status = run(settings) {
            do throws(Failure) {
                result = .success(try body())
            } catch {
                result = .failure(error)
            }
        }
        return (status, result)
    }

    private static func run(_ settings: ck_settings_t, _ body: () -> Void) -> ck_status_t {
        withoutActuallyEscaping(body) { body in
            var (work, settings) = (Work(body: body), settings)
            return withUnsafeMutablePointer(to: &work) { pointer in
                ck_with(
                    &settings, { $0?.assumingMemoryBound(to: Work.self).pointee.body() }, pointer)
            }
        }
    }

    private static func check(
        _ status: ck_status_t, requested: String
    ) throws(KernelError) {
        switch status {
        case CK_OK: return
        case CK_UNSUPPORTED: throw .unsupportedISA(requested: requested, choices: isaChoices)
        default: throw .unknownISA(requested: requested, choices: isaChoices)
        }
    }
}
