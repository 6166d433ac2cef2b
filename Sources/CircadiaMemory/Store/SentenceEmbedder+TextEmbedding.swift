import CircadiaModel

extension SentenceEmbedder: TextEmbedding {}
