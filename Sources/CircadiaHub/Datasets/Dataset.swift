import Foundation

/// A public set of instructions and answers that can stand in for chats.
package enum Dataset: String, Sendable, Hashable, CaseIterable {
    /// Databricks Dolly: 15,000 instructions written by people, CC BY-SA 3.0.
    case dolly
    /// Stanford Alpaca: 52,000 instructions written by a model, non-commercial (CC BY-NC 4.0).
    case alpaca

    /// Where the publishers keep the file.
    package var address: String { Self.addresses[self] ?? "" }

    /// The name of the file, as published.
    package var fileName: String {
        switch self {
        case .dolly: "databricks-dolly-15k.jsonl"
        case .alpaca: "alpaca_data.json"
        }
    }

    /// What a user may do with it, in a few words.
    package var license: String {
        switch self {
        case .dolly: "CC BY-SA 3.0"
        case .alpaca: "CC BY-NC 4.0 (non-commercial)"
        }
    }

    private static let addresses: [Dataset: String] = [
        .dolly: "https://huggingface.co/datasets/databricks/databricks-dolly-15k/resolve/main/"
            + "databricks-dolly-15k.jsonl",
        .alpaca: "https://huggingface.co/datasets/tatsu-lab/alpaca/resolve/main/alpaca_data.json",
    ]
}
