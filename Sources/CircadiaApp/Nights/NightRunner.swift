import CircadiaAnalysis
import CircadiaConversation
import CircadiaEvaluation
import CircadiaFormats
import CircadiaLog
import CircadiaModel
import CircadiaNight
import CircadiaRetrieval
import CircadiaTokenizer
import Foundation

/// Runs one night for a front end: fills the store if asked to, loads the texts and tasks of the
/// gate, and pauses for chats. The caller holds the lock (`SleepLock.take`).
package struct NightRunner {
    /// The settings of a night.
    package struct Settings {
        /// The adapter's folder.
        package var adapterDirectory: URL
        /// The chat log's path as the person gave it.
        package var logPath: String
        /// How the night trains and judges.
        package var options: SleepOptions
        /// How many of the latest versions to keep after a promoted night; 0 keeps all.
        package var keptVersions = Night.usualVersions
        /// Whether to resume the unfinished night.
        package var resumes = false
        /// Whether to pause between steps while a chat of the log is in use.
        package var yieldsToChat = false
        /// Whether to skip the night if nothing is new and nothing is due.
        package var onlyIfDue = false
        /// The store that the night fills; nil fills none.
        package var store: Store?

        /// Makes settings for a night that fills no store.
        ///
        /// - Parameters:
        ///   - adapterDirectory: the adapter's folder; it need not exist.
        ///   - logPath: the chat log's path.
        ///   - options: how the night trains and judges.
        package init(adapterDirectory: URL, logPath: String, options: SleepOptions) {
            self.adapterDirectory = adapterDirectory
            self.logPath = logPath
            self.options = options
        }
    }

    /// A store that a night fills.
    package struct Store {
        /// Opens the store with an embedder.
        package var open: () throws -> any ExchangeStore
        /// Whether to empty the store first.
        package var isCleared: Bool
        /// Whether the store keeps secrets. They never train.
        package var keepsSecrets: Bool

        /// Makes a store from a closure that opens it.
        package init(
            isCleared: Bool = false, keepsSecrets: Bool = false,
            open: @escaping () throws -> any ExchangeStore
        ) {
            self.open = open
            self.isCleared = isCleared
            self.keepsSecrets = keepsSecrets
        }
    }

    /// Files that ship with the program, by their use.
    package enum ShippedMaterial: Sendable, Equatable {
        /// The texts and tasks that the gate measures with.
        case gate
        /// The general texts for rehearsal.
        case rehearsal
        /// The questions for preference pairs.
        case questions
    }

    /// An event that a front end can show during the night.
    package enum Event {
        /// The store was filled: how many exchanges were routed, selected for the store, and new
        /// there.
        case stored(exchanges: Int, selected: Int, new: Int)
        /// Files that ship with the program are missing; the night runs without them.
        case missing(ShippedMaterial)
        /// A chat is in use, and the night waits.
        case waitsForChat
        /// The chat is over or quiet, and the night continues.
        case goesOn
        /// An event of the night itself.
        case night(NightEvent)
    }

    private let model: LlamaModel
    private let modelName: String
    private let directory: ModelDirectory
    private let settings: Settings
    private let isCancelled: () -> Bool
    private let report: (Event) -> Void

    /// Seconds between two checks of a chat that is in use.
    private static let chatInterval = 0.5

    /// Makes a night for a model.
    ///
    /// - Parameters:
    ///   - model: the base model; the night loads its own adapter.
    ///   - modelName: the model's name in records.
    ///   - directory: the model's files.
    ///   - settings: the settings of the night.
    ///   - isCancelled: called between steps; true interrupts the night, which can be resumed
    ///     later.
    ///   - report: receives every event.
    package init(
        model: LlamaModel, modelName: String, directory: ModelDirectory, settings: Settings,
        isCancelled: @escaping () -> Bool = { false }, report: @escaping (Event) -> Void
    ) {
        self.model = model
        self.modelName = modelName
        self.directory = directory
        self.settings = settings
        self.isCancelled = isCancelled
        self.report = report
    }

    /// Runs the night over the exchanges of the log.
    ///
    /// - Returns: the outcome of the night.
    /// - Throws: what `Night.sleep` throws, and errors of the store or the shipped files.
    package func run(_ log: [Exchange]) throws -> NightOutcome {
        let exchanges = log.cleaned
        if let store = settings.store { try fill(store, with: exchanges) }
        let tokenizer = try BPETokenizer(directory: directory.url)
        let template = try ChatTemplate(
            directory: directory.url, tokenizer: tokenizer, dateString: PinnedDate.text)
        let night = Night(
            model: NightModel(
                model: model, name: modelName, fingerprint: try directory.fingerprint(),
                tokenizer: tokenizer, template: template),
            place: NightPlace(
                adapterDirectory: settings.adapterDirectory, keptVersions: settings.keptVersions),
            texts: NightTexts(
                gate: try gateMaterial(), questions: try questions(), general: try rehearsal()),
            options: settings.options)
        return try night.sleep(
            Night.Request(
                exchanges: exchanges, logPath: settings.logPath, resumes: settings.resumes,
                onlyIfDue: settings.onlyIfDue),
            isCancelled: {
                if settings.yieldsToChat { waitForChat() }
                return isCancelled()
            }, report: { report(.night($0)) })
    }

    /// Waits until no chat of the log is in use or the night is cancelled.
    private func waitForChat() {
        let log = URL(fileURLWithPath: settings.logPath)
        guard ChatPresence.isActive(log: log) else { return }
        report(.waitsForChat)
        while ChatPresence.isActive(log: log), !isCancelled() {
            Thread.sleep(forTimeInterval: Self.chatInterval)
        }
        if !isCancelled() { report(.goesOn) }
    }

    /// Routes every exchange and adds the selected ones to the store.
    private func fill(_ store: Store, with exchanges: [CleanExchange]) throws {
        let memories = try store.open()
        if store.isCleared { try memories.clear() }
        let filled = try memories.ingest(
            exchanges, policy: .night, keepingSecrets: store.keepsSecrets)
        report(
            .stored(
                exchanges: exchanges.count, selected: exchanges.count - filled.notSelected,
                new: filled.added + filled.replaced))
    }

    /// The texts and tasks of the gate that ship with the program; empty if they are not needed or
    /// missing.
    private func gateMaterial() throws -> GateMaterial {
        guard settings.options.gate != nil, settings.options.judgesHarm else {
            return GateMaterial()
        }
        guard let texts = ShippedFiles.locate("eval/gate.jsonl"),
            let prompts = ShippedFiles.locate("eval/harness.jsonl")
        else {
            report(.missing(.gate))
            return GateMaterial()
        }
        return GateMaterial(
            texts: try GeneralText.load(texts), prompts: try HarnessPrompt.load(prompts))
    }

    /// The general texts that ship with the program.
    private func rehearsal() throws -> [Exchange] {
        guard settings.options.rehearsalShare > 0 else { return [] }
        guard let url = ShippedFiles.locate("samples/general.jsonl") else {
            report(.missing(.rehearsal))
            return []
        }
        return try ChatLog.read(url).exchanges
    }

    /// The questions that ship with the program.
    private func questions() throws -> [PreferenceQuestion] {
        guard settings.options.preferencePairs ?? 0 > 0 else { return [] }
        guard let url = ShippedFiles.locate("samples/questions.jsonl") else {
            report(.missing(.questions))
            return []
        }
        return try PreferenceQuestion.load(url)
    }
}

/// The date that chat templates show in training and measuring. It is fixed, so that an exchange
/// gives the same tokens every day.
package enum PinnedDate {
    /// The date in the format of chat templates.
    package static let text = "26 Jul 2024"
}
