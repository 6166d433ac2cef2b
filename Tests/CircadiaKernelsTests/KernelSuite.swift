import Testing

@testable import CircadiaKernels

/// All tests of kernels. Those that switch variants or threads do so in a child process (an exit
/// test): the dispatch table is global, and other targets' tests run beside these.
@Suite(.serialized)
enum KernelSuite {}
