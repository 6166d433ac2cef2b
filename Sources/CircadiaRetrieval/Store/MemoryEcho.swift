/// Tells whether a reply repeats a memory that the model had been shown earlier in the conversation.
package enum MemoryEcho {
    /// Words in a row that two texts hardly share by chance.
    package static let wordsInARow = 5

    /// Whether `reply` holds that many words in a row of `memory`, whatever their case and marks.
    package static func isPresent(of memory: String, in reply: String) -> Bool {
        let replyRuns = runs(reply)
        return !replyRuns.isEmpty && !replyRuns.isDisjoint(with: runs(memory))
    }

    private static func runs(_ text: String) -> Set<[Substring]> {
        let lowered = text.lowercased()
        let words = lowered.split { !$0.isLetter && !$0.isNumber }
        guard words.count >= wordsInARow else { return [] }
        return Set(
            (0...words.count - wordsInARow).map { Array(words[$0..<$0 + wordsInARow]) })
    }
}
