/// What can go wrong while exchanges are forgotten.
package enum ForgetError: Error, Sendable, Equatable {
    /// The journal or the undo file of forgetting cannot be read.
    case journalBroken(path: String)
}
