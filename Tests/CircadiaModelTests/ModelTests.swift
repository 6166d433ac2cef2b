import Testing

import CircadiaModel

/// The parent of every suite here: one test at a time, because some set the number of threads, which
/// all kernels share.
@Suite(.serialized) enum ModelTests {}
