import CircadiaAdapters
import CircadiaConversation
import CircadiaModel
import CircadiaTokenizer
import CircadiaTraining
import Foundation

/// The model that a night trains, with what belongs to it.
package struct NightModel {
    /// The base model, which stages run with one adapter or another.
    let base: AdaptedModel
    /// What the person calls it.
    let name: String
    /// Tells its weights from others; a night is only resumed with the same ones.
    let fingerprint: String
    /// Its tokenizer.
    let tokenizer: BPETokenizer
    /// Its template, with a pinned date.
    let template: ChatTemplate

    /// Puts a model and what belongs to it together.
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

    /// Mean loss of the rows' scored tokens, nats a token; nil where nothing is scored.
    func loss(of rows: [TrainingRow], with adapter: LoRAAdapter?) -> Double? {
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

    /// The likeliest reply to a prompt.
    func reply(
        to prompt: [Int32], with adapter: LoRAAdapter?, maxTokens: Int
    ) throws -> GenerationResult {
        try base.with(adapter).generate(
            prompt: prompt, tokenizer: tokenizer, stopTokens: template.stopTokens,
            options: .greedy(maxTokens: maxTokens))
    }
}

/// Where a night's adapter and its versions lie.
package struct NightPlace: Sendable {
    /// The folder of the adapter in use.
    let adapterDirectory: URL
    /// Versions that stay after an accepted night, the latest ones and those in use; 0 keeps all.
    let keptVersions: Int

    /// Names the place of a night.
    package init(adapterDirectory: URL, keptVersions: Int = Night.usualVersions) {
        self.adapterDirectory = adapterDirectory
        self.keptVersions = keptVersions
    }

    /// The versions beside the adapter.
    var versions: AdapterVersions { AdapterVersions(beside: adapterDirectory) }
    /// The night that has not ended.
    var unfinished: UnfinishedNight { UnfinishedNight(of: adapterDirectory) }
    /// Where the base model's own figures are kept from night to night.
    var baseMeasuresURL: URL { versions.root.appendingPathComponent("base_measures.json") }
}

/// The texts and questions that ship with the program.
package struct NightTexts: Sendable {
    /// What the gate measures with, beside the held-out conversations.
    let gate: GateMaterial
    /// What the model is asked so that it answers as the person wants it.
    let questions: [PreferenceQuestion]
    /// General-purpose exchanges and prose to rehearse.
    let general: [Exchange]

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

/// How a caller stops a night and sees it go on.
struct NightControl {
    /// Whether a signal asks the night to end; asked between steps and measurements.
    let isCancelled: () -> Bool
    /// Told what happens.
    let report: (NightEvent) -> Void
}
