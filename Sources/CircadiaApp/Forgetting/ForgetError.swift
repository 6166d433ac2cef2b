/// What can go wrong while exchanges are forgotten.
package enum ForgetError: Error, Sendable, Equatable {
    /// What a command that forgets wrote down about itself cannot be read.
    case journalBroken(path: String)
}
