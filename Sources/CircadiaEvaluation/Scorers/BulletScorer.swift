/// Passes a reply with a certain number of bullet lines.
///
/// A bullet line starts, after blanks, with `-`, `*` or `•`, a space and some text. Bold text
/// (`**so**`), rules (`---`) and numbered lines are no bullets; prose around the list is allowed.
package struct BulletScorer: Scorer {
    /// Bullet lines that there must be, neither more nor fewer.
    package let count: Int

    /// Makes a scorer.
    package init(count: Int) { self.count = count }

    /// Whether `reply` passes.
    package func passes(_ reply: String) -> Bool {
        reply.split(whereSeparator: \.isNewline).count(where: Self.isBullet) == count
    }

    static func isBullet(_ line: Substring) -> Bool {
        let text = line.drop(while: \.isWhitespace)
        guard let mark = text.first, "-*•".contains(mark) else { return false }
        let rest = text.dropFirst()
        return rest.first?.isWhitespace == true
            && rest.contains { $0.isLetter || $0.isNumber }
    }
}
