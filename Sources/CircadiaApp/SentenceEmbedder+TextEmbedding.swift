import CircadiaModel
import CircadiaRetrieval

extension SentenceEmbedder: TextEmbedding {}
