import CircadiaAnalysis
import CircadiaConversation
import CircadiaEvaluation
import CircadiaModel
import CircadiaTokenizer
import Foundation

/// Context distillation (Askell et al. 2021): the base model answers questions with a person's
/// preferences in its prompt. The adapter then learns to give these answers without them.
///
/// `PreferenceGuide` helps answers to follow the preferences; an answer that still does not is
/// refused.
package struct PreferenceDistiller {
    /// A question with an answer to learn.
    package struct Pair: Sendable {
        /// Question and answer, with the tag `synthetic`; its id is `RowID.Part.preferencePair` of the
        /// exchange in which the newest of the preferences was stated.
        package let exchange: CleanExchange
        /// Whether the answer was cut, so that the end of the turn must not be learnt.
        package let isOpen: Bool

        /// Makes a pair.
        package init(exchange: CleanExchange, isOpen: Bool) {
            self.exchange = exchange
            self.isOpen = isOpen
        }
    }

    /// The pairs of a night.
    package struct Outcome: Sendable {
        /// Pairs to train on.
        var training: [Pair] = []
        /// Pairs that are only measured: every eighth one.
        var heldOut: [Pair] = []
        /// Questions without a usable answer.
        var refused = 0
    }

    /// The most preferences in a prompt: a small model cannot follow more.
    package static let mostPreferences = 6
    /// The most pairs of a night, as a multiple of those of one preference.
    package static let mostShares = 2

    /// The most tokens that the model writes for an answer.
    private static let answerTokens = 64
    /// The most tokens if the preferences concern only the greeting, so that the beginning is
    /// enough.
    private static let beginningTokens = 32

    /// The base model.
    package let model: AdaptedModel
    let tokenizer: BPETokenizer
    let template: ChatTemplate
    /// Decides which questions are asked.
    package let seed: UInt64

    /// Lets the model answer questions as `preferences` ask.
    ///
    /// - Parameters:
    ///   - preferences: the preferences that hold, the oldest first.
    ///   - questions: all questions; some of each preference's topic are drawn.
    ///   - share: pairs for each preference; all together get at most `mostShares` times as many.
    ///   - isCancelled: called before each question.
    ///   - progress: receives the number of good pairs and of questions so far.
    /// - Returns: the pairs, and the number of questions without one.
    /// - Throws: `ModelError`.
    package func pairs(
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

    /// The questions of a night, with the topics mixed.
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

    /// Whether the model must know of a preference to answer. Fixed words are added without it,
    /// because a small model that knows of them talks about little else.
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
