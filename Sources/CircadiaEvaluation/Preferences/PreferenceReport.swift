import CircadiaConversation
import Foundation

/// How many answers show a preference.
package struct PreferenceScore: Sendable, Codable, Equatable {
    /// The preference.
    package let id: String
    /// What it is about.
    package let kind: String
    /// Answers that show it, of all with their share and its interval.
    package let score: HarnessScore
    /// One answer a question, in order.
    package let answers: [PreferenceAnswer]
}

/// An answer to a question.
package struct PreferenceAnswer: Sendable, Codable, Equatable {
    /// The question.
    package let question: String
    /// What the model said.
    package let answer: String
    /// Whether it shows the preference.
    package let shows: Bool
}

/// How well preferences are followed.
package struct PreferenceReport: Sendable, Codable, Equatable {
    /// Where the questions found the preference.
    package let prompt: PreferenceTask.Prompt
    /// One score a preference, in order.
    package let preferences: [PreferenceScore]
    /// The mean of their shares.
    package var share: Double {
        preferences.reduce(0) { $0 + $1.score.rate } / Double(max(1, preferences.count))
    }

    /// Puts every question to the model; answers are drawn greedily.
    ///
    /// - Parameters:
    ///   - tasks: the preferences.
    ///   - prompt: where the questions find the preference.
    ///   - subject: who answers.
    ///   - maxTokens: tokens of an answer at most; one that is cut rarely shows how it would end.
    ///   - progress: called after each answer with the number done and the number of all.
    /// - Returns: the scores.
    /// - Throws: what the subject or `progress` throws.
    package static func measure(
        _ tasks: [PreferenceTask], prompt: PreferenceTask.Prompt, subject: any HarnessSubject,
        maxTokens: Int, progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> PreferenceReport {
        let total = tasks.reduce(0) { $0 + $1.questions.count }
        var done = 0
        let scores = try tasks.map { task in
            var before: [ChatMessage] = []
            switch prompt {
            case .absent: break
            case .system: before = [PreferenceTask.systemMessage([task.statement])]
            case .chat:
                before = [ChatMessage(role: .user, content: task.statement)]
                before.append(
                    ChatMessage(
                        role: .assistant,
                        content: try subject.reply(to: before, maxTokens: maxTokens)))
            }
            let answers = try task.questions.map { question in
                let answer = try subject.reply(
                    to: before + [ChatMessage(role: .user, content: question)],
                    maxTokens: maxTokens)
                done += 1
                try progress(done, total)
                return PreferenceAnswer(
                    question: question, answer: answer, shows: task.shows.passes(answer))
            }
            return PreferenceScore(
                id: task.id, kind: task.kind,
                score: HarnessScore(passed: answers.count(where: \.shows), total: answers.count),
                answers: answers)
        }
        return PreferenceReport(prompt: prompt, preferences: scores)
    }
}
