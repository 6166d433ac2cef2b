import CircadiaFiles
import CircadiaFormats
import CircadiaModel
import CircadiaTestSupport
import CircadiaTokenizer
import Foundation

/// A model of two small random blocks over bytes: it says nonsense at once, and needs no download.
package struct TinyChat {
    /// The folder that holds everything.
    package let folder: TemporaryFolder
    /// The model's files.
    package let directory: ModelDirectory
    /// The weights.
    package let weights: LlamaModel
    /// The tokenizer.
    package let tokenizer: BPETokenizer
    /// The chat template.
    package let template: ChatTemplate

    /// Writes the model to the folder `tiny` of a fresh folder and loads it.
    package init(contextLength: Int = 512) throws {
        folder = try TemporaryFolder()
        let url = folder.file("tiny")
        var options = RandomModel.Options()
        options.groupSize = 32
        try RandomModel.write(
            configuration: .object([
                "model_type": .string("llama"), "hidden_size": .integer(64),
                "intermediate_size": .integer(128), "num_hidden_layers": .integer(2),
                "num_attention_heads": .integer(2), "num_key_value_heads": .integer(1),
                "head_dim": .integer(32), "vocab_size": .integer(259),
                "rms_norm_eps": .number(1e-5), "rope_theta": .integer(10000),
                "max_position_embeddings": .integer(contextLength),
                "tie_word_embeddings": .bool(true),
            ]), to: url, options: options)
        try Self.writeTokenizer(to: url)
        directory = try ModelDirectory(url)
        weights = try LlamaModel(directory: directory)
        tokenizer = try BPETokenizer(directory: url)
        template = try ChatTemplate(directory: url, tokenizer: tokenizer)
    }

    /// The model without an adapter.
    package var model: AdaptedModel { AdaptedModel(weights, adapter: nil) }

    /// A byte-level tokenizer without merges: three control tokens, then one token a byte.
    private static func writeTokenizer(to folder: URL) throws {
        let control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
        // GPT-2's alphabet: printable bytes stand for themselves, the others for 256 and on.
        var vocabulary: [String: Int] = [:]
        var next: UInt32 = 256
        for byte in UInt32(0)..<256 {
            let isPrintable = 33...126 ~= byte || 161...172 ~= byte || 174...255 ~= byte
            let scalar = Unicode.Scalar(isPrintable ? byte : next)
            if !isPrintable { next += 1 }
            if let scalar { vocabulary[String(Character(scalar))] = 3 + Int(byte) }
        }
        for (id, token) in control.enumerated() { vocabulary[token] = id }
        let byteLevel: [String: Any] = [
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
            "use_regex": true,
        ]
        let json: [String: Any] = [
            "version": "1.0",
            "added_tokens": control.enumerated().map { id, token in
                [
                    "id": id, "content": token, "single_word": false, "lstrip": false,
                    "rstrip": false, "normalized": false, "special": true,
                ] as [String: Any]
            },
            "normalizer": NSNull(), "post_processor": NSNull(),
            "pre_tokenizer": [
                "type": "Sequence",
                "pretokenizers": [["type": "Digits", "individual_digits": true], byteLevel],
            ] as [String: Any],
            "decoder": byteLevel,
            "model": [
                "type": "BPE", "dropout": NSNull(), "unk_token": NSNull(),
                "continuing_subword_prefix": NSNull(), "end_of_word_suffix": NSNull(),
                "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
                "vocab": vocabulary, "merges": [String](),
            ] as [String: Any],
        ]
        try JSONSerialization.data(withJSONObject: json)
            .write(to: folder.appendingPathComponent("tokenizer.json"))
        try JSONSerialization.data(withJSONObject: [
            "chat_template": chatML, "eos_token": "<|im_end|>", "bos_token": "<|im_start|>",
        ]).write(to: folder.appendingPathComponent("tokenizer_config.json"))
    }

    private static let chatML = """
        {% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}\
        {{ '<|im_start|>system
        You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>
        ' }}{% endif %}{{'<|im_start|>' + message['role'] + '
        ' + message['content'] + '<|im_end|>' + '
        '}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
        ' }}{% endif %}
        """
}
