import Foundation

import CircadiaModel
import CircadiaTokenizer

/// A byte-level tokenizer without merges and SmolLM2's chat template: three control tokens, then one
/// token a byte.
struct TinyTokenizer {
    let tokenizer: BPETokenizer
    let template: ChatTemplate

    /// Writes the files into `folder` and opens them.
    ///
    /// `extraTokens` are tokens beyond those that the tiny model has embeddings for.
    init(in folder: URL, extraTokens: Int = 0) throws {
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
        for index in 0..<extraTokens { vocabulary["extra\(index)"] = 259 + index }
        for (id, token) in control.enumerated() { vocabulary[token] = id }
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
                "pretokenizers": [
                    ["type": "Digits", "individual_digits": true],
                    [
                        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                        "use_regex": true,
                    ],
                ],
            ] as [String: Any],
            "decoder": [
                "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true,
                "use_regex": true,
            ] as [String: Any],
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
            "chat_template": Self.chatML, "eos_token": "<|im_end|>", "bos_token": "<|im_start|>",
        ]).write(to: folder.appendingPathComponent("tokenizer_config.json"))
        tokenizer = try BPETokenizer(directory: folder)
        template = try ChatTemplate(directory: folder, tokenizer: tokenizer)
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
