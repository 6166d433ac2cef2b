import Foundation

import CircadiaFiles
import CircadiaFormats
import CircadiaHub
import circadia

/// A random model of two small blocks with the default model's tokenizer and template, for tests in
/// which the text of replies does not matter.
enum TinyModel {
    /// Its folder's name for the command line.
    static let path = "tiny/"

    /// Writes a complete model to the folder `tiny`.
    @discardableResult
    static func write(
        in folder: Program.Folder, seed: UInt64 = 0, contextLength: Int = 256
    ) throws -> URL {
        let url = folder.url.appendingPathComponent("tiny")
        var options = RandomModel.Options()
        options.seed = seed
        options.groupSize = 32
        options.tokenizerDirectory = try ModelStore.resolve("smollm2-135m")
        try RandomModel.write(
            configuration: .object([
                "model_type": .string("llama"), "hidden_size": .integer(64),
                "intermediate_size": .integer(128), "num_hidden_layers": .integer(2),
                "num_attention_heads": .integer(2), "num_key_value_heads": .integer(1),
                "head_dim": .integer(32), "vocab_size": .integer(49152),
                "rms_norm_eps": .number(1e-5), "rope_theta": .integer(10000),
                "max_position_embeddings": .integer(contextLength),
                "tie_word_embeddings": .bool(true),
            ]), to: url, options: options)
        return url
    }
}

extension Program.Folder {
    /// Writes a log of `sessions` conversations with two exchanges each; `id` is
    /// `s<session>-<0|1>`. The conversation `changed` gets different replies.
    func writeLog(
        sessions: Int = 6, changed: Int? = nil, to name: String = "log.jsonl"
    ) throws {
        let words = ["tea", "bread", "rain", "paper", "music", "stone", "river", "train"]
        var lines = ""
        for session in 0..<sessions {
            for turn in 0..<2 {
                let word = words[(session * 3 + turn) % words.count]
                let reply = session == changed ? "Never, not even \(word)." : "Of course, \(word)."
                lines +=
                    #"{"id":"s\#(session)-\#(turn)","timestamp":"2026-11-2\#(session)T09:0\#(turn):00Z","#
                    + #""session":"s\#(session)","messages":[{"role":"user","content":"Do you like "#
                    + #"\#(word)?"},{"role":"assistant","content":"\#(reply)"}]}"# + "\n"
            }
        }
        try write(lines, to: name)
    }

    /// The permissions of a file or folder.
    func mode(_ name: String) throws -> Int {
        let path = url.appendingPathComponent(name).path
        let value = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        return (value as? NSNumber)?.intValue ?? -1
    }

    /// The bytes of a file; nil if it is not there.
    func bytes(_ name: String) -> Data? { try? Data(contentsOf: url.appendingPathComponent(name)) }

    /// The objects of a file of JSON lines.
    func jsonLines(_ name: String) throws -> [[String: Any]] {
        try Program.jsonLines(try read(name))
    }

    /// The names in a folder, hidden ones too, in order.
    func names(_ name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(
            atPath: url.appendingPathComponent(name).path
        ).sorted()
    }
}
