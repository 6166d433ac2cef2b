import CircadiaHub
import CircadiaModel
import CircadiaRetrieval

extension SentenceEmbedder: TextEmbedding {}

extension SentenceEmbedder {
    /// Loads the embedder that stores use.
    ///
    /// It multiplies in bf16 on processors that have it: the vectors then differ less from the
    /// exact ones than a search can tell.
    ///
    /// - Throws: `FormatError` if the model is not installed or damaged.
    package static func installed() throws -> SentenceEmbedder {
        try SentenceEmbedder(
            directory: ModelStore.resolve("all-minilm-l6-v2"), precision: .bf16)
    }
}

extension StoreLocation {
    /// Opens the store with the installed sentence embedder.
    ///
    /// - Throws: as `SentenceEmbedder.installed` and `open(embedder:)`.
    package func openWithEmbedder() throws -> any ExchangeStore {
        try open(embedder: SentenceEmbedder.installed())
    }
}
