import CKernels

/// The settings of the kernels: the ISA, the threads, and the list of variants.
///
/// ISA and threads belong to the whole process. `configure`, or the first use of a kernel, fixes
/// them. Tests and benchmarks can change them for single calls (`withThreads`, `withISA`,
/// `withVariant`). Such a change affects only the kernels that `body` calls on its thread, so tests
/// with different settings can run side by side.
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
        /// Whether kernels called on this thread run it now.
        package let isActive: Bool
    }

    /// Fixes the ISA and the threads of this process. Front ends call it before their first kernel;
    /// libraries never do.
    ///
    /// - Parameters:
    ///   - threads: the number of threads of every kernel; less than 1 means one per processor.
    ///   - isa: the instruction set; nil means that of `CIRCADIA_ISA`, or else the best.
    /// - Throws: `KernelError.unknownISA` or `.unsupportedISA`, and `.alreadyConfigured` if the
    ///   process already runs with other settings. Repeating the same settings is allowed.
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

    /// The number of threads that kernels use.
    package static var threads: Int { Int(ck_threads()) }

    /// Whether the build has OpenMP.
    package static var hasThreads: Bool { ck_has_threads() }

    /// Whether products can round to bf16. Without instructions for it they compute in f32.
    package static var hasBF16: Bool {
        variants.contains { $0.kernel == "matmul_bf16" && $0.isActive }
    }

    /// Whether large f32 products go to Accelerate (Apple Silicon only).
    package static var usesAccelerate: Bool { ck_has_accelerate() }

    /// Calls `body` while the other threads wait for the kernels in it, so that many small kernels
    /// do not each start threads. Results are the same. A team inside a team uses the outer one.
    ///
    /// A closure that is stored and reused costs no allocation. That is why `body` is `@escaping`:
    /// passing a non-escaping closure to C copies it to the heap.
    package static func withTeam(_ body: @escaping () -> Void) {
        var work = Work(body: body)
        withUnsafeMutablePointer(to: &work) { pointer in
            ck_team({ $0?.assumingMemoryBound(to: Work.self).pointee.body() }, pointer)
        }
    }

    /// A plain closure: memory of the bare closure type would wrap it again for each call.
    private struct Work {
        let body: () -> Void
    }

    /// Calls `body` for ranges that together are `0 ..< count`, each on one thread, and returns
    /// when all are done. The ranges' borders are multiples of `grain`. Kernels and nested
    /// `forRanges` in `body` run on the thread of their range.
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
    /// Calls `body` and runs its kernels on `count` threads; less than 1 leaves the number
    /// unchanged.
    package static func withThreads<Result, Failure: Error>(
        _ count: Int, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let (status, result) = call(
            ck_settings_t(threads: Int32(clamping: count), isa: nil, kernel: nil, variant: nil),
            body)
        guard status == CK_OK, let result else { preconditionFailure("threads are always valid") }
        return try result.get()
    }

    /// Calls `body` and runs every kernel in the best variant up to `isa`.
    ///
    /// - Throws: `KernelError.unknownISA` or `.unsupportedISA`, and the errors of `body`.
    package static func withISA<Result>(
        _ isa: String, _ body: () throws -> Result
    ) throws -> Result {
        let (status, result) = isa.withCString { isa in
            call(ck_settings_t(threads: 0, isa: isa, kernel: nil, variant: nil), body)
        }
        return try value(status, result, requested: isa)
    }

    /// Calls `body` with one variant of one kernel. The other kernels keep theirs.
    ///
    /// - Throws: `KernelError.unknownISA` or `.unsupportedISA`, naming `kernel/variant`, and the
    ///   errors of `body`.
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

    /// Calls `ck_with` and returns its status and the result of `body`.
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
