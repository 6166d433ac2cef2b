/// Turns texts into vectors whose dot products tell how near their meanings are.
///
/// `SentenceEmbedder` of CircadiaModel is the one that the product uses.
package protocol TextEmbedding: Sendable {
    /// Components of a vector.
    var dimension: Int { get }
    /// Names the model and what could change its vectors; vectors of two identifiers are never
    /// compared.
    var identifier: String { get }
    /// One vector of `dimension` components and length 1 for each text, in order.
    func embed(_ texts: [String]) throws -> [[Float]]
    /// The vector of a question, perhaps sooner than `embed` makes it and a little less exact.
    func embed(question: String) throws -> [Float]
}

extension TextEmbedding {
    /// As any other text.
    package func embed(question: String) throws -> [Float] {
        try embed([question]).first ?? []
    }
}
