import CKernels

extension WeightMatrix {
    /// The version of the packed layout. It grows with every change, so that packed files on the
    /// disk can be told apart.
    package static var packVersion: Int { Int(CK_PACK_VERSION) }
}
