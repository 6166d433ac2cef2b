import CKernels

extension WeightMatrix {
    /// Raised whenever the packed layout changes, so that packed files on disk can be told apart.
    package static var packVersion: Int { Int(CK_PACK_VERSION) }
}
