import Testing

/// All tests of kernels. Variants and threads are chosen for single calls (`KernelRuntime.withVariant`
/// and its like), so they run beside each other and beside other targets' tests.
@Suite enum KernelSuite {}
