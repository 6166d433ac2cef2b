#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The system's matrix product, for comparison. It is loaded at run time, because nothing else here
/// needs it.
struct BLAS {
    let name: String

    private typealias SGEMM =
        @convention(c) (
            Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32,
            UnsafePointer<Float>, Int32, Float, UnsafeMutablePointer<Float>, Int32
        ) -> Void
    private typealias SetThreads = @convention(c) (Int32) -> Void
    private let sgemm: SGEMM

    /// Loads a BLAS; nil if none is installed. Accelerate chooses its own threads.
    init?(threads: Int) {
        let libraries = [
            ("OpenBLAS", "libopenblas.so.0"), ("OpenBLAS", "libopenblas.so"),
            ("Accelerate", "/System/Library/Frameworks/Accelerate.framework/Accelerate"),
        ]
        for (name, file) in libraries {
            guard let library = dlopen(file, RTLD_NOW), let symbol = dlsym(library, "cblas_sgemm")
            else { continue }
            self.name = name
            sgemm = unsafeBitCast(symbol, to: SGEMM.self)
            if let symbol = dlsym(library, "openblas_set_num_threads") {
                unsafeBitCast(symbol, to: SetThreads.self)(Int32(threads))
            }
            return
        }
        return nil
    }

    /// Computes `c = a · b`, or `a · bᵀ`. `a` is `[rows, inner]`, `b` is `[inner, columns]`
    /// (transposed `[columns, inner]`), and `c` is `[rows, columns]`.
    func multiply(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
        into c: UnsafeMutablePointer<Float>, rows: Int, inner: Int, columns: Int,
        isRightTransposed: Bool
    ) {
        let (rowMajor, asIs, transposed): (Int32, Int32, Int32) = (101, 111, 112)
        sgemm(
            rowMajor, asIs, isRightTransposed ? transposed : asIs, Int32(rows), Int32(columns),
            Int32(inner), 1, a, Int32(inner), b, Int32(isRightTransposed ? inner : columns), 0, c,
            Int32(columns))
    }
}
