import Foundation

/// The capability harness: a fixed set of tasks that tells whether a night has cost a skill.
///
/// Replies are drawn greedily through the chat template, so that a run can be repeated; a multiple
/// choice is decided by likelihood.
package struct Harness {
    private let subject: any HarnessSubject

    /// A harness for anything that answers.
    package init(subject: any HarnessSubject) { self.subject = subject }

    /// Gives each prompt to the model and judges the reply.
    ///
    /// - Parameters:
    ///   - prompts: the tasks, done in order.
    ///   - progress: called after each with the number done and the number of all.
    /// - Returns: every result, and how long it took.
    /// - Throws: what the subject throws, `ModelError` for a model, or `progress`.
    package func run(
        _ prompts: [HarnessPrompt], progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> HarnessReport {
        let clock = ContinuousClock()
        let start = clock.now
        var results: [HarnessResult] = []
        for prompt in prompts {
            results.append(try result(of: prompt))
            try progress(results.count, prompts.count)
        }
        let (seconds, attoseconds) = (clock.now - start).components
        return HarnessReport(
            results: results, seconds: Double(seconds) + Double(attoseconds) * 1e-18)
    }

    private func result(of prompt: HarnessPrompt) throws -> HarnessResult {
        if case .multipleChoice(let question) = prompt.judge {
            let likelihoods = try subject.likelihoods(
                of: question.options, after: prompt.messages)
            let choice = question.choice(likelihoods)
            return HarnessResult(
                id: prompt.id, category: prompt.category, passed: choice == question.answer,
                reply: choice.map { question.options[$0] } ?? "",
                likelihoods: likelihoods.allSatisfy(\.isFinite) ? likelihoods : nil)
        }
        let reply = try subject.reply(to: prompt.messages, maxTokens: prompt.maxTokens)
        return HarnessResult(
            id: prompt.id, category: prompt.category,
            passed: prompt.judge.scorer?.passes(reply) ?? false, reply: reply, likelihoods: nil)
    }
}
