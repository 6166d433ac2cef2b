import CircadiaHub
import CircadiaModel
import CircadiaRetrieval

extension SentenceEmbedder: TextEmbedding {}

extension SentenceEmbedder {
    /// Loads the installed embedder that stores use.
    ///
    /// It multiplies in bf16 on processors that support it. The vectors then differ too little from
    /// f32 to change a search.
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
    /// - Throws: the same errors as `SentenceEmbedder.installed` and `open(embedder:)`.
    package func openWithEmbedder() throws -> any ExchangeStore {
        try open(embedder: SentenceEmbedder.installed())
    }
}
