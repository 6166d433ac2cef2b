import CircadiaAnalysis
import CircadiaConversation
import CircadiaEvaluation
import CircadiaModel
import CircadiaTokenizer
import Foundation

/// Context distillation (Askell et al. 2021): the base model answers questions with a person's
/// preferences in its prompt, and is trained to answer so without.
///
/// Answers are helped where they do not show what was asked for (`PreferenceGuide`), and those that do
/// not show it even then are refused.
package struct PreferenceDistiller {
    /// An answer to learn.
    struct Pair: Sendable {
        /// Question and answer, with the tag `synthetic`; its id is `RowID.Part.preferencePair` of the
        /// exchange in which the newest of the preferences was stated.
        var exchange: CleanExchange
        /// Whether the answer was cut, so that its end is none to learn.
        var isOpen: Bool
    }

    /// What came of it.
    struct Outcome: Sendable {
        /// Pairs to train on.
        var training: [Pair] = []
        /// Pairs that are only measured: every eighth.
        var heldOut: [Pair] = []
        /// Questions without a usable answer.
        var refused = 0
    }

    /// Preferences at most that a small model is told of at once.
    static let mostPreferences = 6
    /// Pairs of a night at most, as a multiple of those of one preference.
    static let mostShares = 2

    /// Tokens of an answer, without what is added to it.
    private static let answerTokens = 64
    /// The same where an answer is only greeted, so that its beginning suffices.
    private static let beginningTokens = 32

    /// The base model.
    let model: AdaptedModel
    let tokenizer: BPETokenizer
    let template: ChatTemplate
    /// Which questions are asked follows from it.
    let seed: UInt64

    /// Answers questions as `preferences` want it.
    ///
    /// - Parameters:
    ///   - preferences: those that hold, the oldest first.
    ///   - questions: what can be asked; some of each preference's topic are drawn.
    ///   - share: pairs for each preference; all together have `mostShares` times as many at most.
    ///   - isCancelled: asked before each question.
    ///   - progress: gets the good pairs and the questions so far.
    /// - Returns: the pairs, and how many questions have none.
    /// - Throws: `ModelError`.
    func pairs(
        following preferences: [StatedPreference], questions: [PreferenceQuestion],
        share: Int, isCancelled: () -> Bool = { false },
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> Outcome {
        var outcome = Outcome()
        let preferences = Array(preferences.suffix(Self.mostPreferences))
        guard let newest = preferences.last else { return outcome }
        let chosen = Self.choose(
            for: preferences, questions: questions, share: share, seed: seed)
        var good = 0
        for (number, question) in chosen.enumerated() {
            if isCancelled() { break }
            progress(good, number)
            guard let (answer, isOpen) = try answer(to: question, preferences, number: number)
            else {
                outcome.refused += 1
                continue
            }
            good += 1
            let pair = Pair(
                exchange: Self.exchange(
                    RowID(exchange: newest.exchange, part: .preferencePair(number)), question.text,
                    answer), isOpen: isOpen)
            if number % 8 == 7 {
                outcome.heldOut.append(pair)
            } else {
                outcome.training.append(pair)
            }
        }
        progress(good, chosen.count)
        return outcome
    }

    private static func exchange(
        _ id: RowID, _ question: String, _ answer: String
    ) -> CleanExchange {
        CleanExchange(
            cleaning: Exchange(
                id: id.description,
                messages: [
                    ChatMessage(role: .user, content: question),
                    ChatMessage(role: .assistant, content: answer),
                ], tags: [Exchange.syntheticTag]))
    }

    /// The questions of a night, those of different topics mixed.
    package static func choose(
        for preferences: [StatedPreference], questions: [PreferenceQuestion], share: Int,
        seed: UInt64
    ) -> [PreferenceQuestion] {
        let topics = preferences.map { preference -> PreferenceQuestion.Topic in
            switch preference.manner {
            case .units: .measures
            case .codeLanguage: .code
            default: .general
            }
        }
        let most = share * mostShares
        var chosen: [PreferenceQuestion] = []
        for topic in [PreferenceQuestion.Topic.general, .measures, .code] {
            let wanted = share * topics.count { $0 == topic }
            guard wanted > 0 else { continue }
            chosen += drawn(questions.filter { $0.topic == topic }, seed).prefix(wanted)
        }
        return Array(drawn(chosen, seed).prefix(most))
    }

    private static func drawn(
        _ questions: [PreferenceQuestion], _ seed: UInt64
    ) -> [PreferenceQuestion] {
        questions.sorted {
            (StableHash.of("\(seed)/\($0.id)"), $0.id) < (StableHash.of("\(seed)/\($1.id)"), $1.id)
        }
    }

    private func answer(
        to question: PreferenceQuestion, _ preferences: [StatedPreference], number: Int
    ) throws -> (text: String, isOpen: Bool)? {
        let told = preferences.filter { Self.isTold($0, about: question.topic) }
        let prompt = template.render(
            (told.isEmpty ? [] : [PreferenceTask.systemMessage(told.map(Self.sentence))])
                + [ChatMessage(role: .user, content: question.text)], addGenerationPrompt: true
        ).ids
        let guide = PreferenceGuide(preferences: preferences, topic: question.topic)
        let beginning = guide.beginning
        for attempt in 0..<3 {
            let first = try generate(
                prompt, beginning,
                maxTokens: guide.isOnlyGreeted ? Self.beginningTokens : Self.answerTokens,
                attempt: attempt, number)
            let isCut = first.finishReason != .stop
            guard let body = guide.body(first.text, isCut: isCut) else { continue }
            let glue = beginning.isEmpty || beginning.hasSuffix("\n") ? "" : " "
            var text = beginning + glue + body
            if let lead = guide.continuation(of: text) {
                let more = try generate(
                    prompt, text + " " + lead, maxTokens: 32, attempt: attempt, number)
                guard let sentence = PreferenceCheck.sentences(in: lead + more.text).first,
                    ".!?".contains(sentence.last ?? " ")
                else { continue }
                text += " " + sentence
            }
            guard let finished = guide.finished(guide.greeted(text)),
                !ParaphraseCheck.repeats(ParaphraseCheck.words(of: finished))
            else { continue }
            let isWhole =
                body == first.text.trimmingCharacters(in: .whitespacesAndNewlines)
                && finished.hasSuffix(body.suffix(8))
            return (finished, isCut && isWhole)
        }
        return nil
    }

    /// Whether the model has to know of a preference to answer. What is said word for word is said for
    /// it, and a small model that knows of it speaks of little else.
    package static func isTold(
        _ preference: StatedPreference, about topic: PreferenceQuestion.Topic
    ) -> Bool {
        switch preference.manner {
        case .opening, .address: false
        case .emoji: preference.value == StatedPreference.none
        case .closing: preference.value == StatedPreference.question
        case .units: topic == .measures
        case .codeLanguage: topic == .code
        default: true
        }
    }

    /// A statement as a sentence.
    private static func sentence(_ preference: StatedPreference) -> String {
        let text = preference.statement
        return ".!?".contains(text.last ?? " ") ? text : text + "."
    }

    private func generate(
        _ prompt: [Int32], _ beginning: String, maxTokens: Int, attempt: Int, _ number: Int
    ) throws -> GenerationResult {
        var sampling = SamplingOptions.greedy(maxTokens: maxTokens)
        if attempt > 0 {
            sampling.temperature = 0.7
            sampling.topP = 0.9
            sampling.seed = seed &+ UInt64(3 * number + attempt)
        }
        return try model.generate(
            prompt: prompt + tokenizer.encode(beginning, special: .plain), tokenizer: tokenizer,
            stopTokens: template.stopTokens, options: sampling)
    }
}
