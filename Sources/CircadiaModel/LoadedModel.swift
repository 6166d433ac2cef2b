import CircadiaFormats
import CircadiaKernels
import CircadiaTokenizer
import Foundation

/// A model's weights with its name and its folder, from which the tokenizer and the chat template come.
package struct LoadedModel: Sendable {
    /// What the person calls the model.
    package let name: String
    /// Its files.
    package let directory: ModelDirectory
    /// Its frozen weights.
    package let model: LlamaModel

    /// A model that is loaded already.
    package init(name: String, directory: ModelDirectory, model: LlamaModel) {
        self.name = name
        self.directory = directory
        self.model = model
    }

    /// Loads a model's weights.
    ///
    /// - Parameters:
    ///   - url: an MLX directory.
    ///   - name: what the person calls the model.
    ///   - cacheFormat: how caches keep keys and values where the precision is not exact.
    /// - Throws: `FormatError` where a file or tensor is missing, truncated or of another shape.
    package init(at url: URL, name: String, cacheFormat: CacheFormat = .int8) throws {
        let directory = try ModelDirectory(url)
        self.init(
            name: name, directory: directory,
            model: try LlamaModel(directory: directory, cacheFormat: cacheFormat))
    }

    /// The model's own tokenizer.
    ///
    /// - Throws: `TokenizerError`.
    package func makeTokenizer() throws -> BPETokenizer {
        try BPETokenizer(directory: directory.url)
    }

    /// The model's own chat template.
    ///
    /// - Parameters:
    ///   - tokenizer: from `makeTokenizer`.
    ///   - dateString: the date that the template shows; nil for today's. Pin it where text is trained
    ///     on or measured, so that the same exchange is the same tokens every day.
    /// - Returns: the template.
    /// - Throws: `TemplateError`.
    package func makeTemplate(
        _ tokenizer: BPETokenizer, dateString: String? = nil
    ) throws -> ChatTemplate {
        try ChatTemplate(
            directory: directory.url, tokenizer: tokenizer, dateString: dateString)
    }

    /// Reads an adapter and checks it against the model.
    ///
    /// - Throws: `FormatError` naming the tensor, what was expected and what was found.
    package func loadAdapter(from url: URL) throws -> LoRAAdapter {
        try LoRAAdapter.load(from: url, for: model.configuration)
    }
}
