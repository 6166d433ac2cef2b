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

/// Runs one night for a front end: fills the store if it is asked to, collects what the night is
/// judged with, and waits for chats. The caller holds the lock (`SleepLock.take`).
package struct NightRunner {
    /// What a night is run with.
    package struct Settings {
        /// The adapter's folder.
        package var adapterDirectory: URL
        /// The chat log's path, as the person named it.
        package var logPath: String
        /// How the night trains and judges.
        package var options: SleepOptions
        /// Versions that stay after an accepted night; 0 keeps all.
        package var keptVersions = Night.usualVersions
        /// Whether it goes on with the night that was interrupted.
        package var resumes = false
        /// Whether it pauses between steps while a chat of the log is in use.
        package var yieldsToChat = false
        /// Whether no night is run if nothing is new and nothing is due.
        package var onlyIfDue = false
        /// The store that the night fills; nil fills none.
        package var store: Store?

        /// Settings of a night that fills no store.
        package init(adapterDirectory: URL, logPath: String, options: SleepOptions) {
            self.adapterDirectory = adapterDirectory
            self.logPath = logPath
            self.options = options
        }
    }

    /// A store that a night fills.
    package struct Store {
        /// Opens it with an embedder.
        package var open: () throws -> any ExchangeStore
        /// Whether it is emptied first.
        package var isCleared: Bool
        /// Whether it keeps secrets. They never train.
        package var keepsSecrets: Bool

        /// A store.
        package init(
            isCleared: Bool = false, keepsSecrets: Bool = false,
            open: @escaping () throws -> any ExchangeStore
        ) {
            self.open = open
            self.isCleared = isCleared
            self.keepsSecrets = keepsSecrets
        }
    }

    /// A kind of files that ship with the program.
    package enum ShippedMaterial: Sendable, Equatable {
        /// The texts and tasks that the gate measures with.
        case gate
        /// The general-purpose texts that are rehearsed.
        case rehearsal
        /// The questions with which preferences are practised.
        case questions
    }

    /// What a front end can show while the night goes on.
    package enum Event {
        /// The store was filled: so many exchanges were looked at, selected and new.
        case stored(exchanges: Int, selected: Int, new: Int)
        /// Files that ship with the program were not found; the night goes on without them.
        case missing(ShippedMaterial)
        /// A chat is in use, and the night waits.
        case waitsForChat
        /// The chat is over, and the night goes on.
        case goesOn
        /// What the night itself reports.
        case night(NightEvent)
    }

    private let model: LlamaModel
    private let modelName: String
    private let directory: ModelDirectory
    private let settings: Settings
    private let isCancelled: () -> Bool
    private let report: (Event) -> Void

    /// Seconds between two looks at a chat that is in use.
    private static let chatInterval = 0.5

    /// A night for a model.
    ///
    /// - Parameters:
    ///   - model: without an adapter, or with any: the night loads its own.
    ///   - modelName: as it is recorded.
    ///   - directory: the model's files.
    ///   - settings: what to run it with.
    ///   - isCancelled: asked between steps; true interrupts the night, which can go on later.
    ///   - report: gets every event.
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
    /// - Returns: what the night came to.
    /// - Throws: as `Night.sleep`, and what the store or the shipped files throw.
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

    /// Waits until no chat of the log is in use any more, or the night is cancelled.
    private func waitForChat() {
        let log = URL(fileURLWithPath: settings.logPath)
        guard ChatPresence.isActive(log: log) else { return }
        report(.waitsForChat)
        while ChatPresence.isActive(log: log), !isCancelled() {
            Thread.sleep(forTimeInterval: Self.chatInterval)
        }
        if !isCancelled() { report(.goesOn) }
    }

    /// Routes every exchange and takes what belongs there into the store.
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

    /// What the gate measures with, as it ships with the program.
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

    /// The general-purpose texts that ship with the program.
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

/// The date that templates show where text is trained or measured: pinned, so that the same
/// exchange gives the same tokens every day.
package enum PinnedDate {
    /// The date, as templates write it.
    package static let text = "26 Jul 2024"
}
