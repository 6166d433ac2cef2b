import Foundation

/// Finds out whether a message corrects the reply before it.
///
/// It goes by how English messages begin, and by what they share with the question and the reply: a
/// reply that is taken for rejected is never learnt, so that where it is not clear nothing is found.
package enum CorrectionDetector {
    /// Decides for one message.
    ///
    /// - Parameters:
    ///   - message: what a person said after the reply.
    ///   - question: what the person had said before it.
    ///   - reply: what was replied.
    ///   - seconds: between the question and the message; nil where it is not known.
    /// - Returns: how the message corrects the reply; nil where it does not.
    package static func kind(
        of message: String, after question: String, reply: String, seconds: Double? = nil
    ) -> CorrectionKind? {
        let opening = Opening(of: message)
        guard !opening.text.isEmpty else { return nil }
        let reply = Reply(reply)
        if meant.matches(opening.text) || opening.hasNo && meantAfterNo.matches(opening.text) {
            return .meant
        }
        if contradicted.matches(opening.text) { return .contradicted }
        if !reply.asks, weaklyContradicted.matches(opening.text) { return .contradicted }
        if opening.hasNo, !reply.asks, question.hasSuffix("?"),
            otherFact.matches(opening.text), !smallTalkAfterNo.matches(opening.text)
        {
            return .contradicted
        }
        if replaces(opening, question: question, reply: reply) { return .contradicted }
        if restyled.matches(opening.text) || !reply.asks && tooMuch.matches(opening.text) {
            return .restyled
        }
        if reply.hasList, withoutLists.matches(opening.whole) { return .restyled }
        if reply.hasEmoji, withoutEmoji.matches(opening.whole) { return .restyled }
        if RepeatedQuestion.isPresent(message, of: question, seconds: seconds) {
            return .askedAgain
        }
        return nil
    }

    // MARK: What is read

    /// The first line of a message as patterns read it, without the small words before it.
    private struct Opening {
        let text: String
        /// The same with the small words.
        let whole: String
        /// Whether a “no” was among these words.
        let hasNo: Bool

        init(of message: String) {
            let line =
                message.split(whereSeparator: \.isNewline).first { line in
                    line.contains { !$0.isWhitespace }
                } ?? ""
            var text = line.prefix(200).lowercased().replacingOccurrences(of: "’", with: "'")
                .trimmingCharacters(in: .whitespaces)[...]
            whole = String(text)
            var hasNo = false
            while let word = text.prefixMatch(of: Self.small) {
                if word.1.hasPrefix("no") || word.1 == "nah" { hasNo = true }
                text = text[word.range.upperBound...]
            }
            self.text = String(text)
            self.hasNo = hasNo
        }

        nonisolated(unsafe) private static let small =
            /(no+|nope|nah|h+m+|um+|er+|ah+|oh|ok|okay|well|sorry|but|actually|wait|hey|oops|uh)(?:[ ,.!…:;–—-]+)/
    }

    private struct Reply {
        let words: Set<String>
        /// Whether it ends in a question: what follows is an answer then.
        let asks: Bool
        let hasList: Bool
        let hasEmoji: Bool

        init(_ text: String) {
            words = Set(WordForms.words(of: text))
            asks =
                text.trimmingCharacters(
                    in: .whitespacesAndNewlines.union(.init(charactersIn: "\"”)*"))
                )
                .hasSuffix("?")
            hasList = CorrectionDetector.listItem.count(in: text, limit: 2) == 2
            hasEmoji = text.unicodeScalars.contains {
                $0.properties.isEmojiPresentation || $0.value == 0xFE0F
            }
        }
    }

    /// “Not X but Y”, “it's Y, not X”, “no, 7”: where the reply said X, or the question Y.
    private static func replaces(_ opening: Opening, question: String, reply: Reply) -> Bool {
        let asked = Set(WordForms.words(of: question))
        if let taken = content(notBut, in: opening.text) {
            if taken.allSatisfy(reply.words.contains) { return true }
            if !reply.asks, opening.hasNo || taken.contains(where: reply.words.contains) {
                return true
            }
        }
        if let taken = content(butNot, in: opening.text), taken.allSatisfy(reply.words.contains) {
            return true
        }
        guard !reply.asks else { return false }
        if let kept = content(shortly, in: opening.text), kept.allSatisfy(asked.contains) {
            return true
        }
        if let taken = content(shortlyNot, in: opening.text),
            taken.allSatisfy(reply.words.contains)
        {
            return true
        }
        if let missing = content(noSuchThing, in: opening.text),
            missing.allSatisfy(asked.contains)
        {
            return true
        }
        return opening.hasNo && number.matches(opening.text)
            && reply.words.contains { $0.allSatisfy(\.isNumber) }
    }

    /// The words that a pattern captures, without those that tell nothing; nil where there are none.
    private static func content(_ pattern: CapturePattern, in text: String) -> [String]? {
        guard let match = pattern.firstMatch(in: text) else { return nil }
        let words = WordForms.words(of: match).filter { !EnglishWords.stopWords.contains($0) }
        return words.isEmpty ? nil : words
    }

    // MARK: Patterns

    private static let meant = TextPattern(
        #"^i (?:actually |really |just )?meant(?! (?:to|every|well|it|so|no|that as|what)\b|[ ,.!]*$)"#,
        #"^(?:that(?:'s| is)|it's) not what i (?:meant|mean|asked|wanted|said|was asking)\b"#,
        #"^what i (?:actually |really )?(?:meant|asked|wanted (?:to know|was|is))\b"#,
        #"^[^.?!,]{1,40}, i meant (?!to|it|every|well|no|so)"#,
        #"^i said not\b"#,
        #"^(?:my|the) question (?:was|is)(?! (?:whether i|why he|why she|why they))\b"#,
        #"^let me (?:rephrase|put it differently|put it another way|ask (?:again|it differently))"#,
        #"^(?:correction|edit|rephrased|i mistyped|typo)\b *[:,.–-]"#,
        #"^i (?:didn't|did not) (?:ask (?:for|about|you)\b|mean (?:the|that one|a|an|my)\b)"#,
        #"^i (?:asked|was asking) [^.!?]{1,60}, not\b"#,
        #"^i asked you (?:for|about|how|what|which|to)\b"#,
        #"^\*\w+(?: \w+)?\*?$"#)

    private static let meantAfterNo = TextPattern(
        #"^i mean(?! (?:it|that|really|sure|well|yes|no|seriously|i|he|she|we|they)\b|[,.!]*$|, )"#,
        #"^i (?:asked|was asking) (?:for|about|how|what|which|where|when|why)\b"#,
        #"^not (?:that|this) (?:one|kind|sort|way)\b"#,
        #"^the other (?:one|kind|way)\b"#)

    private static let contradicted = TextPattern(
        #"^(?:that|this)(?:'s| is| was| isn't| is still)? (?:just |simply |completely |totally |all |still |plain |quite |also )?(?:wrong|incorrect|not (?:right|correct|true|it|how it)|right,? but not|false|nonsense|mistaken|untrue|made up)(?=[ ]*(?:[.,;:!–—-]|$)| (?:i|it|the|my|you|there|he|she|they|again|and|because|since|about)\b)(?![^.!]*\?)"#,
        #"^that isn't (?:right|correct|true|it|what i)\b(?![^.!]*\?)"#,
        #"^your (?:answer|reply|sum|total|maths|math|date|figure|code|numbers?|last (?:answer|reply)) (?:is|was|are|isn't|doesn't)(?: just| still)? (?:wrong|incorrect|off|not|right|compile|work|add up|correct)\b"#,
        #"^you(?:'re| are) (?:wrong|mistaken|mixing|confusing|misunderstanding|not answering|off by|making (?:this|that|it|things) up)\b"#,
        #"^you (?:have |'ve |just )?(?:misunderstood|misread|misheard|got (?:it|that|this|the \w+|my \w+|her \w+|his \w+) wrong|mixed (?:up|those|them)|confused|forgot (?:the|my|to|that|about|it)\b|missed (?:the (?:point|question|first|second|last)|my (?:question|point))|ignored|left out|(?:didn't|did not) (?:answer|read|follow|use|include|do what)|made that up)"#,
        #"^you made (?:it|that|this) (?:longer|shorter|worse|up)\b"#,
        #"^(?:correct (?:that|yourself|your)|fix your)\b"#)

    private static let weaklyContradicted = TextPattern(
        #"^(?:wrong|incorrect|false|not quite|not (?:right|correct|true)|nonsense|not what i (?:asked|meant|wanted)|that's not)(?= *[.!,:;–—-]| *$)(?![^.!]*\?)"#,
        #"^(?:it's|this is|it is) (?:still |just )?(?:wrong|incorrect)(?= *[.!,:;–—-]| *$)"#,
        #"^(?:look|check|count|read (?:it|that)) again\b"#,
        #"^try (?:that |it )?again\b(?! (?:tomorrow|later|next|on))"#)

    private static let otherFact = TextPattern(
        #"^(?:it's|it is|it was|there (?:are|is|were)|he's|she's|they're|he is|she is|they are|the \w+ (?:is|are|was|were)|my \w+ (?:is|are|was)|(?:her|his|its|their) \w+ (?:is|are|was)|in|on|at) "#
    )

    private static let smallTalkAfterNo = TextPattern(
        #"\b(?:fine|ok|okay|all right|alright|good|great|enough|thanks?|nothing|clear|perfect|my fault|my mistake)\b"#
    )

    /// What is to be replaced is the first group.
    private static let notBut = CapturePattern(
        #"^not (?!only|just|even|all|yet|really|sure)(?:the |a |an |in |my |on |for |at |by |with |to |about )*((?:[\w'-]+ ?){1,4}?)(?:,? but |, |; |: | – | — | - )(?=\w)"#
    )

    private static let butNot = CapturePattern(
        #"^(?:it's|it is|it was|that's|that was|i said|i asked for|i want(?:ed)?|i need(?:ed)?|i'm|i am|she's|he's|they're|make (?:it|that)|use|in|my \w+ is|(?:her|his|its|their|the) \w+ (?:is|was|are)) [^.!?]{1,60}?(?:, not|, and not| instead of| rather than| and not) (?:the |a |an |in |my |on |for |at |by |with |to |about )*((?:[\w'-]+ ?){1,4}) *(?:[.!,;]|$)"#
    )

    /// “Dutch, not Spanish”: what is kept, and what is not.
    private static let shortly = CapturePattern(
        #"^(?!(?:i|we|he|she|they|my|our|yes|yeah|maybe)\b)((?:[\w'-]+ ?){1,3}), (?:and )?not (?:[\w'-]+ ?){1,3}[.!]*$"#
    )
    private static let shortlyNot = CapturePattern(
        #"^(?!(?:i|we|he|she|they|my|our|yes|yeah|maybe)\b)(?:[\w'-]+ ?){1,3}, (?:and )?not ((?:[\w'-]+ ?){1,3})[.!]*$"#
    )
    /// “That's not a limerick.”
    private static let noSuchThing = CapturePattern(
        #"^(?:that|this)(?:'s| is) not an? ((?:[\w'-]+ ?){1,2}?)(?= *[.!,;:]| *$)"#)
    private static let number = TextPattern(#"^\d[\d.,:]*(?: \w+)?[.!]*$"#)

    private static let tooMuch = TextPattern(
        #"^(?:(?:that|this|it)(?:'s| is| was) |your (?:answer|reply|text|version|draft) (?:is|was) )?(?:much |way |far |a bit |a little |still |just )*too (?:long|short|wordy|formal|vague|complicated|technical|verbose|generic|chatty|stiff|dry|flowery|detailed)(?= *[.,;:!–—-]| *$)(?![^.!]*\?)"#
    )

    private static let restyled = TextPattern(
        #"^(?:please )?(?:make|say|put|write|keep|try|explain|phrase|do|rewrite|rephrase|give) (?:it|that|this|me that) (?:again )?(?:but )?(?:in )?(?:an? )?(?:a (?:bit|little|lot) |much |even )?(?:shorter|simpler|briefer|longer|clearer|fewer words|plain words|plain english|one sentence|two sentences|more (?:briefly|simply|formally|casually|concisely?|plainly|formal|casual|friendly|polite|detail)|less (?:formal|wordy|formally|stiff|technical))\b"#,
        #"^(?:a (?:bit|little|lot) |much |even )?(?:shorter|simpler|briefer|longer|more (?:briefly|simply|concise|formal|casual)|less (?:formal|wordy|technical))(?:,? please| this time|,? and\b|,? with\b| *[.!,:;]| *$)"#,
        #"^(?:please )?(?:rewrite|rephrase|redo|reword|shorten|simplify) (?:that|it|your (?:answer|reply))(?= *[.,!:;]| *$| please| to )"#,
        #"^(?:once more|again|same (?:again|thing)),? (?:but|only|this time|without) "#)

    private static let withoutLists = TextPattern(
        #"^(?:please )?(?:without|no|not|drop|skip|lose|leave out) (?:the |those |these |all the |more |as |in |a )*(?:bullets?|bullet points?|bullet lists?|lists?)(?:,? please| this time| *[.!,:;]| *$)"#
    )
    private static let withoutEmoji = TextPattern(
        #"^(?:please )?(?:without|no|drop|skip|lose|leave out) (?:the |those |these |all the |more )*(?:emojis?|smileys?|emoticons?)(?:,? please| this time| *[.!,:;]| *$)"#
    )
    fileprivate static let listItem = TextPattern(#"^\s*(?:[-*•]|\d+[.)]) \S"#)
}

/// The same question once more.
package enum RepeatedQuestion {
    /// Longest time after which a question counts as repeated rather than asked anew.
    private static let longestPause: Double = 3600

    /// Whether `message` asks what `question` asked, in nearly the same words.
    ///
    /// Words that tell nothing may differ, and letters of a longer word; names and numbers may not: with
    /// them it is another question.
    package static func isPresent(_ message: String, of question: String, seconds: Double?) -> Bool
    {
        if let seconds, seconds > longestPause { return false }
        let (asked, before) = (words(message), words(question))
        guard message.count <= 2 * question.count + 20, before.count >= 3, asked.count >= 3,
            isQuestion(question) || isQuestion(message)
        else { return false }
        let (now, then) = (content(asked), content(before))
        guard then.count >= 2, now.count >= 2, now.isDisjoint(with: wantsAnother) else {
            return false
        }
        // What turns the same words round (“from Bonn to Köln”) is another question.
        let order = asked.filter(then.contains), orderBefore = before.filter(now.contains)
        guard order == orderBefore else { return false }
        let gone = then.subtracting(now), new = now.subtracting(then)
        guard gone.count == new.count, gone.count <= 1 else { return false }
        return zip(gone, new).allSatisfy { isMisspelt($0, $1) }
    }

    /// Who asks for one of many does not mind the one that came.
    private static let wantsAnother: Set<String> = [
        "another", "joke", "story", "riddle", "random", "poem", "next", "more", "quote", "guess",
        "idea", "roll", "dice", "song", "haiku", "trivia", "name", "pun",
    ]

    private static func words(_ text: String) -> [String] {
        WordForms.words(of: text.replacingOccurrences(of: "’", with: "'"))
    }

    private static func content(_ words: [String]) -> Set<String> {
        Set(words.filter { !EnglishWords.smallTalk.contains($0) && !insisting.contains($0) })
    }

    private static let insisting: Set<String> = [
        "ask", "asked", "again", "really", "said", "say", "answer", "question", "please", "mean",
        "s",
        "t", "so", "repeat", "once", "actually", "exactly",
    ]

    private static func isQuestion(_ text: String) -> Bool {
        if text.contains("?") { return true }
        guard let first = words(text).first else { return false }
        return [
            "what", "when", "where", "who", "why", "how", "which", "is", "are", "can", "does", "do",
            "explain", "translate", "convert", "list", "write", "show", "give",
        ].contains(first)
    }

    /// Whether two words are the same but for one letter, or two neighbours that changed places;
    /// never numbers, which mean what they are.
    package static func isMisspelt(_ a: String, _ b: String) -> Bool {
        let (a, b) = (Array(a), Array(b))
        guard max(a.count, b.count) >= 5, abs(a.count - b.count) <= 1, a.first == b.first,
            !a.contains(where: \.isNumber), !b.contains(where: \.isNumber)
        else { return false }
        var start = 0
        while start < min(a.count, b.count), a[start] == b[start] { start += 1 }
        var end = 0
        while end < min(a.count, b.count) - start, a[a.count - 1 - end] == b[b.count - 1 - end] {
            end += 1
        }
        let (left, right) = (a[start..<a.count - end], b[start..<b.count - end])
        if max(left.count, right.count) <= 1 { return true }
        return left.count == 2 && right.count == 2 && Array(left.reversed()) == Array(right)
    }
}
