/// Every kernel of CKernels again in plain Swift: the specification that tests and
/// `circadia doctor` check the C against.
///
/// All functions work on `Double`, so that what they return is exact for the purposes of a
/// comparison with f32, and so that gradients can be checked by finite differences. Matrices are
/// row-major arrays; shapes are as in `CKernels.h`. Nothing here is fast.
package enum Reference {}
