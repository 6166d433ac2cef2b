import CircadiaAdapters
import CircadiaConversation
import CircadiaModel
import CircadiaTokenizer
import CircadiaTraining
import Foundation

/// The model that a night trains, with what belongs to it.
package struct NightModel {
    /// The base model; each stage applies the adapter that it needs.
    package let base: AdaptedModel
    /// The name that the person uses for it.
    package let name: String
    /// A fingerprint of its weights; a night is resumed only with the same weights.
    package let fingerprint: String
    /// Its tokenizer.
    package let tokenizer: BPETokenizer
    /// Its template, with a pinned date.
    package let template: ChatTemplate

    /// Combines a model with its tokenizer and template.
    package init(
        model: LlamaModel, name: String, fingerprint: String, tokenizer: BPETokenizer,
        template: ChatTemplate
    ) {
        base = AdaptedModel(model, adapter: nil)
        self.name = name
        self.fingerprint = fingerprint
        self.tokenizer = tokenizer
        self.template = template
    }

    /// Mean loss of the rows' scored tokens in nats a token; nil if nothing is scored.
    package func loss(of rows: [TrainingRow], with adapter: LoRAAdapter?) -> Double? {
        let model = base.with(adapter)
        var nats = 0.0
        var tokens = 0
        for row in rows {
            let loss = model.loss(of: row.ids, scored: row.scored)
            nats += loss.nats
            tokens += loss.tokens
        }
        return tokens > 0 ? nats / Double(tokens) : nil
    }

    /// The greedy reply to a prompt.
    package func reply(
        to prompt: [Int32], with adapter: LoRAAdapter?, maxTokens: Int
    ) throws -> GenerationResult {
        try base.with(adapter).generate(
            prompt: prompt, tokenizer: tokenizer, stopTokens: template.stopTokens,
            options: .greedy(maxTokens: maxTokens))
    }
}

/// The folders of a night's adapter and its versions.
package struct NightPlace: Sendable {
    /// The folder of the adapter in use.
    package let adapterDirectory: URL
    /// Versions that are kept after an accepted night: the latest ones and those in use. 0 keeps
    /// all.
    package let keptVersions: Int

    /// Names the place of a night.
    package init(adapterDirectory: URL, keptVersions: Int = Night.usualVersions) {
        self.adapterDirectory = adapterDirectory
        self.keptVersions = keptVersions
    }

    /// The versions next to the adapter.
    package var versions: AdapterVersions { AdapterVersions(beside: adapterDirectory) }
    /// The unfinished night.
    package var unfinished: UnfinishedNight { UnfinishedNight(of: adapterDirectory) }
    /// The file that keeps the base model's own figures from night to night.
    package var baseMeasuresURL: URL { versions.root.appendingPathComponent("base_measures.json") }
}

/// The texts and questions that ship with the program.
package struct NightTexts: Sendable {
    /// Texts and tasks that the gate measures, in addition to the held-out conversations.
    package let gate: GateMaterial
    /// Questions that the model answers as the person wants replies to be.
    package let questions: [PreferenceQuestion]
    /// General-purpose exchanges and prose to rehearse.
    package let general: [Exchange]

    /// Gathers texts; each may be empty.
    package init(
        gate: GateMaterial = GateMaterial(), questions: [PreferenceQuestion] = [],
        general: [Exchange] = []
    ) {
        self.gate = gate
        self.questions = questions
        self.general = general
    }
}

/// A caller's means of stopping a night and of following its progress.
package struct NightControl {
    /// Whether a signal asks the night to end; called between steps and measurements.
    package let isCancelled: () -> Bool
    /// Receives the night's events.
    package let report: (NightEvent) -> Void
}
