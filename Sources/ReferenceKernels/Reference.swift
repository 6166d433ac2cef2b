/// Every kernel of CKernels in plain Swift. Tests and `circadia doctor` check the C kernels against
/// it.
///
/// All functions compute in `Double`. Compared with f32 their results count as exact, and finite
/// differences can check gradients. Matrices are row-major arrays with the shapes of `CKernels.h`.
/// The code is simple, not fast.
package enum Reference {}
