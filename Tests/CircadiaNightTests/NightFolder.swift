import CircadiaTestSupport
import Foundation

import CircadiaAnalysis
import CircadiaConversation
import CircadiaFormats
import CircadiaModel
import CircadiaNight

/// A folder with a tiny random model and a log, for nights in process.
struct NightFolder {
    let tiny: TinyChat
    let adapter: URL

    init() throws {
        tiny = try TinyChat()
        adapter = tiny.folder.file("adapters/nightly_update")
    }

    /// A log of `count` conversations of one exchange each.
    static func log(_ count: Int) -> [CleanExchange] {
        let words = ["tea", "bread", "rain", "paper", "music", "stone", "river", "train"]
        return (0..<count).map { number in
            let word = words[number % words.count]
            return Exchange(
                id: "e\(number)", timestamp: Date(timeIntervalSince1970: Double(number) * 86_400),
                session: "s\(number)",
                messages: [
                    ChatMessage(role: .user, content: "Do you like \(word) number \(number)?"),
                    ChatMessage(role: .assistant, content: "Of course, \(word)."),
                ])
        }.cleaned
    }

    /// The settings of a night of a few small steps.
    static var options: SleepOptions {
        var options = SleepOptions()
        options.iterations = 6
        options.batchSize = 2
        options.maxSequenceLength = 256
        options.loraRank = 4
        options.rehearsalShare = 0
        options.preferencePairs = 0
        options.diaryQuestions = 1
        options.diaryTokens = 4
        options.checkpointInterval = 2
        options.evaluationInterval = 2
        options.gate = nil
        return options
    }

    func night(_ options: SleepOptions = Self.options, keptVersions: Int = 0) -> Night {
        Night(
            model: NightModel(
                model: tiny.weights, name: "tiny", fingerprint: "f", tokenizer: tiny.tokenizer,
                template: tiny.template),
            place: NightPlace(adapterDirectory: adapter, keptVersions: keptVersions),
            options: options)
    }

    @discardableResult
    func sleep(
        _ options: SleepOptions = Self.options, over log: [CleanExchange] = Self.log(8),
        resumes: Bool = false, onlyIfDue: Bool = false, keptVersions: Int = 0,
        isCancelled: @escaping () -> Bool = { false },
        report: @escaping (NightEvent) -> Void = { _ in }
    ) throws -> NightOutcome {
        try night(options, keptVersions: keptVersions).sleep(
            Night.Request(
                exchanges: log, logPath: "log.jsonl", resumes: resumes, onlyIfDue: onlyIfDue),
            isCancelled: isCancelled, report: report)
    }

    /// The bytes of the adapter in use.
    func weights() throws -> Data {
        try Data(contentsOf: adapter.appendingPathComponent(AdapterDirectory.weightsName))
    }

    /// The unfinished night.
    var unfinished: UnfinishedNight { UnfinishedNight(of: adapter) }
}
