import Foundation

/// A sentence of a message and the requests that it may be made of.
package struct PreferenceSentence {
    /// A part of a sentence, without what leads up to it.
    package struct Clause {
        /// As it was said.
        let original: String
        /// In lower case, without “please”, “from now on” and the like.
        let text: String
        /// The same in the case in which it was said.
        let cased: String
        /// Whether it is about all answers.
        let isStanding: Bool
        /// Whether it asks not to do something, or to stop it.
        let isNegated, isStopped: Bool
    }

    let clauses: [Clause]
    let isStanding: Bool
    let isSmallTalk: Bool

    static func split(_ text: QuotedText) -> [PreferenceSentence] {
        let pattern = TextPattern(#"[^.!?\n;]+(?:\.(?=\w)[^.!?\n;]+)*[.!?;]*"#)
        return pattern.groups(in: text.text).compactMap { match in
            let sentence = match[0] ?? ""
            return sentence.contains(where: \.isLetter) || sentence.contains("\u{E000}")
                ? PreferenceSentence(sentence) : nil
        }
    }

    private init(_ sentence: String) {
        let whole = sentence.trimmingCharacters(in: .whitespacesAndNewlines)
        let lower = whole.lowercased()
        isStanding = Self.standing.matches(lower)
        isSmallTalk = Self.smallTalk.matches(lower)
        if Self.reported.matches(lower) {
            clauses = []
            return
        }
        let isQuestion = whole.hasSuffix("?")
        if isQuestion, !Self.request.matches(lower) || !isStanding {
            clauses = []
            return
        }
        let isStanding = self.isStanding
        clauses = Self.parts(of: whole).compactMap { Self.clause($0, isStanding: isStanding) }
    }

    /// The sentence whole, then cut at commas and “and”; a cut part that is no request is left out.
    private static func parts(of sentence: String) -> [String] {
        let bare = sentence.trimmingCharacters(
            in: CharacterSet(charactersIn: ".!?;:,").union(.whitespacesAndNewlines))
        var pieces = cut.split(bare)
        // “When you show code, use Swift” is one request.
        var index = 0
        while index + 1 < pieces.count {
            if condition.matches(pieces[index].lowercased()) {
                pieces.replaceSubrange(
                    index...index + 1, with: [pieces[index] + ", " + pieces[index + 1]])
            }
            index += 1
        }
        return pieces.isEmpty ? [bare] : pieces
    }

    private static func clause(_ part: String, isStanding: Bool) -> Clause? {
        let original = part.trimmingCharacters(
            in: CharacterSet(charactersIn: ".!?;:,-–—").union(.whitespacesAndNewlines))
        var cased = original
        var isNegated = false
        var isStopped = false
        var isStanding = isStanding
        var isChanged = true
        while isChanged {
            isChanged = false
            if let range = cased.range(
                of: leadIn, options: [.regularExpression, .caseInsensitive]), !range.isEmpty
            {
                let cut = cased[range].lowercased()
                isNegated = isNegated || negating.matches(cut)
                isStopped = isStopped || stopping.matches(cut)
                isStanding = isStanding || cut.contains("never")
                cased = String(cased[range.upperBound...])
                isChanged = true
            }
        }
        cased = cased.replacingOccurrences(
            of: tail, with: "", options: [.regularExpression, .caseInsensitive])
        let text = cased.lowercased()
        guard !text.isEmpty, !oneOff.matches(text) else { return nil }
        return Clause(
            original: original, text: text, cased: cased, isStanding: isStanding,
            isNegated: isNegated, isStopped: isStopped)
    }

    private static let cut = TextPattern(
        #"(?:,|:|\s+[-–—]|\s+)\s*(?:and|but|also)(?:,? (?:also|then|please))*\s+(?=(?:please |always |never |don't |do not |to )*(?:use|call|keep|end|finish|start|begin|add|give|answer|reply|avoid|write|show|put|be|no|stop|sign)\b)|[,:]\s+|\s+[-–—]+\s+"#
    )

    static let leadIn =
        #"^(?:and|also|but|so|ok(?:ay)?|hey|hi|hello|thanks|thank you|well|oh|yes|great|good|just|kindly|please|do|to|actually|instead|remember(?: that| to|:)?|note that|important|a request|one (?:more )?thing|from now on|from here on|in (?:the )?future|going forward|for the future|in general|generally|as a rule|by default|at all times|always|each time|every time|henceforth|when(?:ever)? you (?:answer|reply|respond|explain|write|talk|speak)(?: to)?(?: me)?(?: something| things| anything)?|(?:when(?:ever)? (?:you|i)|if (?:i ask|you (?:show|give|recommend|suggest|explain)))\b[^,]{0,40}(?=,)|(?:can|could|would|will) you|(?:i'd|i would) (?:really )?(?:like|love|appreciate|prefer) (?:it )?(?:for |if )?(?:you )?(?:to|could|would)?|i (?:want|need|expect|ask|prefer) you to|make sure (?:to|that you|you)|be sure to|try to|you (?:should|must|can|may|could)|it (?:would|'d) be (?:great|nice|good) if you(?: could| would)?|it helps if you|i like it (?:best |better )?when you|don't|do not|never|stop|you (?:don't|do not) (?:have|need) to|no need to|there is no need to|quit|refrain from|feel free to)(?=[\s,:]|$)[\s,:]*"#
    static let negating = TextPattern(#"^(?:don't|do not|never|quit|refrain from)"#)
    static let stopping = TextPattern(
        #"^(?:stop|quit|you (?:don't|do not) (?:have|need) to|no need to|there is no need to)"#)
    private static let condition = TextPattern(
        #"^(?:and |but |also |please )*(?:when|whenever|if|every time|each time)\b"#)
    private static let reported = TextPattern(
        #"\b(?:said|says|told|tells|wrote|written|asked|asks|according to)\b"#)
    private static let tail =
        #"(?:[\s,]+(?:please|thanks|thank you|as well|too|from now on|in (?:the )?future|going forward|always|every time|each time|at all times|with me|for me|to me|any ?more|any longer|again|if possible|ok(?:ay)?|whenever you (?:can|answer|reply)|when you (?:answer|reply|respond)(?: me)?|when (?:you )?(?:answering|replying)(?: me)?|when we (?:talk|chat)|in (?:all )?our chats))+$"#
    static let standing = TextPattern(
        #"\b(?:always|never|from now on|from here on|in (?:the )?future|going forward|henceforth|every time|each time|whenever|at all times|as a rule|by default|in general|any ?more|any longer|(?:when|if) (?:you|i) (?:answer|reply|respond|explain|show|write|give|ask)|in our chats|(?:(?:your|all|my|the|short|brief|concise|longer|detailed|long|shorter|briefer) )(?:answers|replies|responses|explanations|messages)|(?:each|every|all|any)(?: one)?(?: of)?(?: your| the)? (?:answers?|repl(?:y|ies)|responses?|messages?|explanations?)|answers to|replies to|remember (?:to|that))\b"#
    )
    private static let request = TextPattern(
        #"^(?:(?:hi|hello|hey|and|also|please|from now on|in future)[,\s]+)*(?:can|could|would|will) you\b"#
    )
    private static let smallTalk = TextPattern(
        #"^(?:hi|hello|hey|good (?:morning|evening|afternoon)|morning|thanks|thank you|ok(?:ay)?|great|nice|perfect|please|sorry|one (?:more )?thing|before we start|that (?:is|was|would be)|that's|it(?:'s| is| makes| helps| would)|i (?:am|'m|find|get|like|love|hate|don't|do not|can't|cannot|have|read|only|live|work|never|think|twitch)|i'm|i'd|we|my|because|remember)\b.{0,120}$|^\S+(?:\s+\S+)?[.!]*$"#
    )
    /// Words by which a request is about one thing.
    private static let oneOff = TextPattern(
        #"\b(?:this|these|following|below|above|today|tonight|tomorrow|for now|right now|just once|once|for once|poem|story|essay|letter|e-?mail|article|paragraph about|summary of|list of|summari[sz]e|translate|presentation|cv|resume|report|speech|caption|tweet|joke|him|her|them|his|their|he|she|they)\b"#
    )
}
