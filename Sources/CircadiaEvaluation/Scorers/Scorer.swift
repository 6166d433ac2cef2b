/// Decides whether a written reply passes.
public protocol Scorer: Sendable, Equatable {
    /// Whether `reply`, the whole text of an answer, passes.
    func passes(_ reply: String) -> Bool
}
