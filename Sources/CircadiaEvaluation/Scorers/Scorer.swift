/// Decides whether a written reply passes.
package protocol Scorer: Sendable, Equatable {
    /// Whether `reply`, the whole text of an answer, passes.
    func passes(_ reply: String) -> Bool
}
