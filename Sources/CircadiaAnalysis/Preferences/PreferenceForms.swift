import Foundation

/// The forms that statements about answers have, by what they are about.
package enum PreferenceForms {
    /// What a clause asks for.
    package struct Match {
        var manner: StatedPreference.Manner
        var value: String?
        var isRetraction = false
        /// Whether the form alone says that it is about all answers.
        var isStanding = false
        /// Whether it counts only where the sentence says that it is about all answers.
        var needsStanding = false
    }

    static func match(_ clause: PreferenceSentence.Clause) -> Match? {
        for form in [
            address, opening, closing, length, layout, units, codeLanguage, language, emoji,
            spelling, tone, content,
        ] {
            guard var match = form(clause) else { continue }
            if match.needsStanding, !clause.isStanding, !match.isRetraction { continue }
            // “You can use emojis again” ends a ban.
            if clause.original.lowercased().hasSuffix(" again"),
                match.value != StatedPreference.none
            {
                match.isRetraction = true
                match.value = nil
            }
            if match.isRetraction { match.isStanding = true }
            return match
        }
        return nil
    }

    private static let answers =
        #"(?:(?:each|every|all|any)(?: one)?(?: of)?(?: your| the| my)? |your |the |my |with |to )*(?:answers?|repl(?:y|ies)|responses?|messages?|explanations?)"#
    private static let quote = "\u{E000}\\d+\u{E001}"

    // MARK: Words

    private static let titles =
        "captain|boss|chief|doctor|doc|professor|coach|sir|madam|ma'am|skipper|maestro|master|mate|friend|buddy|commander|general|your highness|your majesty|my lord|my lady|dear"
    private static let addressForm = TextPattern(
        #"^(?:call(?:ing)? me|address(?:ing)? me (?:as|by)|refer(?:ring)? to me as|i (?:want|like|prefer|wish) to be called|i'd (?:like|prefer|rather) (?:to )?be called|i go by|be called)(?: by my (?:first |nick)?name,?)? ("#
            + quote + #"|[\p{L}'-]+(?: [\p{L}'-]+){0,2})$"#, ignoringCase: true)
    private static let noName =
        "back|later|when|if|at|on|in|a|an|the|crazy|old|old-fashioned|names|stupid|silly|monday|tuesday|wednesday|thursday|friday|saturday|sunday|again|soon|before|after|by|up|out|not|anything|whatever|maybe|about|for|as|or|and|it|that|what|name"

    private static func address(_ clause: PreferenceSentence.Clause) -> Match? {
        guard let name = addressForm.firstMatch(in: clause.cased)?[1] else { return nil }
        let words = name.split(separator: " ").map(String.init)
        guard let first = words.first,
            !noName.split(separator: "|").contains(first.lowercased()[...])
        else { return nil }
        let isName =
            name.contains("\u{E000}") || words.allSatisfy { $0.first?.isUppercase == true }
            || titles.split(separator: "|").contains(name.lowercased()[...])
        guard isName else { return nil }
        return Match(
            manner: .address, value: name, isRetraction: clause.isNegated || clause.isStopped,
            isStanding: true)
    }

    private static let openingForm = TextPattern(
        #"^(?:(?:start|begin|open|prefix|preface)(?:ning|ing)?(?: off)?(?: "# + answers
            + #")?(?: off)? (?:with|by saying)|greet(?:ing)? me (?:with|by saying|as)|say(?:ing)?) (?:the words? |the phrase |a (?:cheerful |friendly |hearty |short )?)?("#
            + quote
            + #"|[\p{L}'!, ]{2,40}?)( (?:first|before (?:you answer|answering|each answer|every answer)|(?:at|in) the (?:start|beginning)(?: of .*)?))?$"#,
        ignoringCase: true)

    private static func opening(_ clause: PreferenceSentence.Clause) -> Match? {
        if clause.isStopped,
            TextPattern(#"^greeting me\b"#).matches(clause.text)
        {
            return Match(manner: .opening, value: nil, isRetraction: true)
        }
        guard let found = openingForm.firstMatch(in: clause.cased), let value = found[1] else {
            return nil
        }
        let isGreeting = clause.text.hasPrefix("greet")
        if clause.text.hasPrefix("say"), found[2] == nil || !value.contains("\u{E000}") {
            return nil
        }
        let isPhrase =
            value.contains("\u{E000}")
            || (value.first?.isUppercase == true && value.split(separator: " ").count <= 4)
        if !isPhrase {
            // “Start with a summary”: nothing that could be said word for word.
            guard !isGreeting, clause.isStanding else { return nil }
            return Match(
                manner: .content, value: value.lowercased(),
                isRetraction: clause.isNegated || clause.isStopped)
        }
        return Match(
            manner: .opening, value: value, isRetraction: clause.isNegated || clause.isStopped,
            isStanding: isGreeting)
    }

    private static let closingForm = TextPattern(
        #"^(?:(?:end|finish|close|conclude)(?:ing)?|sign(?:ing)? off)(?: "# + answers
            + #")?(?: off)? (?:with|by (?:saying|asking)|saying|on) (?:the words? |the phrase )?("#
            + quote
            + #"|[\p{L}'!, -]{2,60}?)$|^say(?:ing)? ("# + quote
            + #") at the end(?: of .*)?$|^ask(?:ing)? (?:me )?(?:a|some|one)(?: [\w-]+)? (questions?)(?: back)? (?:at the end|after|in) (?:of )?"#
            + answers + "$", ignoringCase: true)

    private static func closing(_ clause: PreferenceSentence.Clause) -> Match? {
        guard let found = closingForm.firstMatch(in: clause.cased),
            let value = found[1] ?? found[2] ?? found[3]
        else { return nil }
        let ends = clause.isNegated || clause.isStopped
        if value.lowercased().contains("question") {
            return Match(
                manner: .closing, value: StatedPreference.question, isRetraction: ends)
        }
        let isPhrase =
            value.contains("\u{E000}")
            || (value.first?.isUppercase == true && value.split(separator: " ").count <= 6)
        if !isPhrase {
            guard clause.isStanding else { return nil }
            return Match(manner: .content, value: value.lowercased(), isRetraction: ends)
        }
        return Match(manner: .closing, value: value, isRetraction: ends)
    }

    // MARK: Length and layout

    private static let numbers = [
        "one": 1, "a single": 1, "a": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
        "ten": 10, "twenty": 20, "thirty": 30, "fifty": 50, "a hundred": 100,
    ]
    private static let count =
        #"(\d+|one|a single|two|three|four|five|six|ten|twenty|thirty|fifty|a hundred)"#
    private static let counted = TextPattern(
        count + #"(?: (?:or|to) "# + count
            + #")?(?: very)?(?: short| brief| simple| complete)? (sentences?|words|lines?)"#)
    private static let short =
        #"(?:very |really |rather |fairly |as )*(?:short|shorter|brief|briefer|concise|crisp|succinct|terse|to the point|compact|snappy|long|longer|detailed|thorough|in-depth)(?: (?:and|but|or) [\w ]{1,20})?"#
    private static let lengthForms = [
        #"^(?:keep|make|limit) (?:"# + answers + #"|it|things|everything)(?: "# + short
            + #"| (?:to|under|below|within|at|shorter than|no longer than)(?: (?:at most|no more than|about|around|under))? "#
            + count + #".{0,30})$"#,
        #"^(?:answer|reply|respond|speak|write|talk|explain things)(?: to me| me)?(?: only)? (?:in|with|using) (?:(?:at most|no more than|about|only|up to|just|maximum) )*(?:"#
            + count
            + #"(?: (?:or|to) \w+)?|a few|short|brief|long|complete)(?: very)?(?: short| brief| simple| complete)? (?:sentences?|words|lines?|paragraphs?|answers)(?: (?:only|at most|or less|or fewer|max))?$"#,
        #"^(?:be|stay|answer|reply|respond|speak|write)(?: to me)? (?:more )?(?:brief|briefly|concise|concisely|succinct|succinctly|terse|tersely|to the point|in detail)$"#,
        #"^(?:i (?:like|love|want|prefer)|i'd (?:like|prefer|rather have)|give(?: me)?|write|use|keep to|stick to|send(?: me)?) (?:only )?(?:my |your )?"#
            + short
            + #" (?:answers|replies|responses|sentences|explanations|messages)(?: (?:to|over|rather).{0,40})?$"#,
        #"^(?:no|avoid) (?:more )?(?:long|lengthy|endless|rambling)(?:-winded)? (?:answers|replies|responses|sentences|explanations|messages|texts)$"#,
        #"^i (?:like|want|prefer) (?:"# + answers + #") (?:to be )?"# + short + "$",
        "^" + answers
            + #" (?:should|must|need to|have to) (?:always )?(?:be|stay|fit in(?:to)?|have|not be longer than|not exceed) (?:at most |no more than |under )?(?:"#
            + short + "|" + count + #".{0,30})$"#,
    ].map { TextPattern($0) }

    private static func length(_ clause: PreferenceSentence.Clause) -> Match? {
        guard lengthForms.contains(where: { $0.matches(clause.text) }) else { return nil }
        if clause.isStopped {
            return Match(manner: .length, value: nil, isRetraction: true)
        }
        if clause.isNegated {
            return Match(manner: .length, value: "long")
        }
        let isGeneral = clause.text.contains("sentences") || clause.text.contains("answers")
        var match = Match(manner: .length, value: "short")
        if let found = counted.firstMatch(in: clause.text), let unit = found[3],
            let number = (found[2] ?? found[1]).flatMap({ Int($0) ?? numbers[$0] })
        {
            match.value = "\(number) \(unit.hasPrefix("word") ? "words" : "sentences")"
        } else if TextPattern(#"\b(?:long(?:er)?|detail(?:ed)?|thorough|in-depth)\b"#)
            .matches(clause.text), !clause.text.hasPrefix("no "),
            !clause.text.hasPrefix("avoid ")
        {
            match.value = "long"
        }
        match.needsStanding = TextPattern(#"^\w+ (?:it|things|everything)\b"#).matches(clause.text)
        match.isStanding =
            isGeneral && TextPattern(#"^(?:i |no |avoid )"#).matches(clause.text)
        return match
    }

    private static let layouts = [
        ("bullets", #"bullet(?:ed)?(?: |-)?(?:points?|lists?)?|bullets|dash lists"#),
        ("numbered", #"numbered (?:lists?|steps|points)"#), ("tables", #"tables?"#),
        ("prose", #"(?:plain |full |flowing )*(?:prose|paragraphs|text)"#),
        ("lists", #"lists|markdown|headings|headers"#),
    ]
    private static let layoutForm = TextPattern(
        #"^(?:(?:use|using|answer(?:ing)?|reply(?:ing)?|respond(?:ing)?|format(?:ting)?|structure|write|writing|put|give(?: me)?|make|present|i (?:like|love|want|prefer))\b(?: (?:to|me))?(?: "#
            + answers
            + #")?(?: (?:in|into|as|with|using|to be))*|no(?: more)?|avoid|without|skip(?: the)?|drop(?: the)?)(?: only| short| the form of)? (BODY)(?: (?:(?:in|for|with) ANSWERS|(?:over|rather than|instead of|not) .{0,40}))?$"#
            .replacingOccurrences(of: "ANSWERS", with: answers)
            .replacingOccurrences(
                of: "BODY", with: layouts.map { "(?:" + $0.1 + ")" }.joined(separator: "|")))

    private static func layout(_ clause: PreferenceSentence.Clause) -> Match? {
        guard let found = layoutForm.firstMatch(in: clause.text), let body = found[1] else {
            return nil
        }
        let isNot =
            clause.isNegated || clause.isStopped
            || TextPattern(#"^(?:no|avoid|without|skip|drop)\b"#).matches(clause.text)
        let name = layouts.first { TextPattern("^(?:" + $0.1 + ")$").matches(body) }?.0
        // “No bullet points” leaves prose.
        return Match(manner: .layout, value: isNot ? StatedPreference.none : name)
    }

    // MARK: Units and languages

    private static let unitsForm = TextPattern(
        #"^(?:(?:use|using|give(?: me)?|answer in|stick to|stick with|convert to|convert everything to|show|i (?:use|prefer|like|want|think in|only understand|only know|work in)|measure in|keep to|it's|quote|only)\b(?: (?:me|all|everything|only|distances|temperatures|measurements|measures|sizes|weights|values|numbers|lengths|the|in|to|with))*|everything in|units? (?:should|must) be|temperatures (?:should be )?in|distances (?:should be )?in)? ?(metric|imperial|us customary|si|celsius|fahrenheit|kilomet(?:re|er)s|miles)(?: (?:units?|system|measurements?|measures|values|numbers|please|only|temperatures))*(?: and (?:celsius|fahrenheit|kilomet(?:re|er)s|miles|kilos|kilograms|pounds))?(?: (?:only|instead of .{1,20}|not .{1,20}|in (?:all )?your answers|for (?:distances|temperatures|everything|measurements|all measurements)))?$"#
    )

    private static func units(_ clause: PreferenceSentence.Clause) -> Match? {
        guard let found = unitsForm.firstMatch(in: clause.text), let word = found[1] else {
            return nil
        }
        let isMetric = !["imperial", "us customary", "fahrenheit", "miles"].contains(word)
        if clause.isStopped {
            return Match(
                manner: .units, value: isMetric ? "metric" : "imperial", isRetraction: true)
        }
        return Match(
            manner: .units, value: isMetric != clause.isNegated ? "metric" : "imperial")
    }

    private static let programming =
        #"swift|python|javascript|typescript|rust|go|golang|java|kotlin|c\+\+|c#|c|ruby|php|haskell|scala|julia|r|perl|lua|elixir|ocaml|bash|sql"#
    private static let codeForm = TextPattern(
        #"^(?:(?:(?:when(?:ever)?|if|where) (?:i|you) (?:ask(?: you)? for|show|write|need|want|give|post|use)(?: me)?(?: some| any)? (?:code|programs|examples|snippets|an example)[\s,]*)?(?:always |please |it (?:should|must) be |make it |make that |i mean |i want |do it |then )*(?:use |in |show (?:it )?in |show me |write (?:it )?in |prefer |only |with )*|(?:show|write|give|use|i (?:want|prefer|like))(?: me)? (?:all |any |only |your |the |my )*(?:code|code examples|code samples|examples of code|programming examples|examples|snippets|code snippets)(?: (?:in|to be in|using))?|all (?:code|code examples|examples) (?:should|must) be (?:written )?in|(?:your |the )?code(?: examples)? (?:should|must) (?:always )?be (?:written )?in|(?:use|prefer|stick to|stick with|i only (?:use|write|know|read)|i (?:code|program) (?:only )?in)) ?(LANGUAGES)(?: (?:only|code|please|for (?:all |any |the |your |my )*(?:code|code examples|examples|programming|snippets|code snippets|programs|everything)|(?:when(?:ever)?|if) (?:you|i) (?:show|write|give|ask for|need|want|post)(?: me)? (?:some |any )?(?:code|examples|programs)|in (?:code|all code|your)(?: examples)?|instead of .{1,14}|not .{1,14}|rather than .{1,14}))*$"#
            .replacingOccurrences(of: "LANGUAGES", with: programming))
    private static let ofCode = TextPattern(
        #"\b(?:code|examples?|snippets|programming|program|programs)\b"#)

    private static func codeLanguage(_ clause: PreferenceSentence.Clause) -> Match? {
        guard let found = codeForm.firstMatch(in: clause.text), let name = found[1] else {
            return nil
        }
        let whole = clause.original.lowercased()
        let isAlone = clause.text == name
        guard ofCode.matches(whole), !isAlone || clause.isStanding else { return nil }
        return Match(
            manner: .codeLanguage, value: name, isRetraction: clause.isNegated || clause.isStopped,
            isStanding: TextPattern(#"\b(?:all|any|examples|snippets|for code|your)\b"#)
                .matches(whole))
    }

    private static let tongues =
        "english|german|french|spanish|italian|portuguese|dutch|swedish|norwegian|danish|finnish|polish|czech|russian|ukrainian|greek|turkish|arabic|hebrew|hindi|chinese|japanese|korean|latin|welsh|irish"
    private static let languageForm = TextPattern(
        #"^(?:answer|reply|respond|speak|write|talk|chat|answering|replying|speaking)(?: to me| with me| me| "#
            + answers + #")?(?: only)?(?: in)? ("# + tongues
            + #")(?: only| not .{1,12}| instead(?: of .{1,12})?)?$"#)

    private static func language(_ clause: PreferenceSentence.Clause) -> Match? {
        guard let found = languageForm.firstMatch(in: clause.text), let name = found[1] else {
            return nil
        }
        return Match(
            manner: .language, value: name, isRetraction: clause.isNegated || clause.isStopped)
    }

    private static let emojiForm = TextPattern(
        #"^(?:(?:use|using|add|adding|put|putting|include|including|sprinkle(?: in)?|i (?:like|love|want)|give me|avoid|no(?: more)?|without|skip(?: the)?|drop(?: the)?|leave out)\b)(?: (?:more|some|an?|one|a few|plenty of|lots of|many|fitting|any|the|all|at least one|only))* (?:emojis?|smileys?|emoticons?)(?: (?:in|into|to|at|with|on|after) .{1,40})?$"#
    )

    private static func emoji(_ clause: PreferenceSentence.Clause) -> Match? {
        guard emojiForm.matches(clause.text) else { return nil }
        let isNot =
            clause.isNegated || clause.isStopped
            || TextPattern(#"^(?:no|avoid|without|skip|drop|leave)\b"#).matches(clause.text)
        return Match(manner: .emoji, value: isNot ? StatedPreference.none : "some")
    }

    private static let spellingForm = TextPattern(
        #"^(?:(?:use|using|write in|write with|stick to|keep to|answer in|i (?:use|prefer|want|like)|only)(?: the)? )?(british|american|uk|us|canadian|australian)(?: (?:english|spelling|spellings))+(?: (?:only|not .{1,20}|instead.{0,20}|in .{1,30}))?$"#
    )

    private static func spelling(_ clause: PreferenceSentence.Clause) -> Match? {
        guard let found = spellingForm.firstMatch(in: clause.text), let name = found[1] else {
            return nil
        }
        return Match(
            manner: .spelling, value: name, isRetraction: clause.isNegated || clause.isStopped)
    }

    // MARK: Tone and content

    private static let qualities =
        #"(?:more |less |very |a bit |a little |really |too |so |as )*(?:formal|formally|informal|informally|casual|casually|friendly|polite|politely|funny|serious|blunt|direct|honest|warm|cheerful|professional|sarcastic|gentle|playful|critical|encouraging|simple|simply|plain|plainly|technical)(?: as (?:you can|possible))?"#
    private static let toneForms = [
        #"^(?:be|being|stay|sound|speak|speaking|write|talk|talking|answer|reply|respond)(?: to me| with me)?(?: in an?| like an?)? QUALITIES(?: (?:tone|way|manner|style|language|words))?(?: (?:and|but) QUALITIES)?(?: (?:with me|to me|in .{1,30}))?$"#
            .replacingOccurrences(of: "QUALITIES", with: qualities),
        #"^(?:use|using|speak in|write in|answer (?:in|with|using)|explain (?:things|everything) (?:in|with|using)) (?:a )?QUALITIES (?:tone|language|words|style|terms|english)$"#
            .replacingOccurrences(of: "QUALITIES", with: qualities),
        #"^(?:no|avoid|without|use no|using|use|skip(?: the| all)?|drop(?: the)?|leave out(?: the)?)(?: more| any| too much)? (?:jargon|technical terms|big words|slang|small talk|pleasantries|flattery|disclaimers|apologies|swear words|exclamation marks|filler|introductions?|caveats|lectures|moralizing)(?: .{1,30})?$"#,
        #"^(?:apologi[sz]e|apologi[sz]ing|flatter(?:ing)? me|lectur(?:e|ing) me|say(?:ing)? (?:that )?you(?:'re| are) sorry|say(?:ing)? sorry|repeat(?:ing)? my question|mention(?:ing)? that you(?:'re| are) an ai|tell(?:ing)? me (?:that )?you(?:'re| are) an ai)(?: .{1,30})?$"#,
        #"^explain (?:things|everything|it all)(?: to me)? (?:like|as if|as though) i(?:'m| am| was| were) .{2,30}$"#,
        #"^(?:talk|speak|answer|write)(?: to me)? like an? [\w ]{3,30}$"#,
    ].map { TextPattern($0) }

    private static func tone(_ clause: PreferenceSentence.Clause) -> Match? {
        guard let index = toneForms.firstIndex(where: { $0.matches(clause.text) }) else {
            return nil
        }
        // “Apologise” is a wish only where it is not to happen.
        if index == 3, !clause.isNegated && !clause.isStopped { return nil }
        if index < 2, clause.isStopped {
            return Match(manner: .tone, value: nil, isRetraction: true)
        }
        return Match(manner: .tone, value: nil)
    }

    private static let contentForm = TextPattern(
        #"^(?:(?:giv|includ|add|mention|show|explain|cit|tell|nam|list|quot|ask|suggest|offer|provid|stat|end|finish|start|begin)(?:e|ing)?)\b(?: me| us| with)?(?: (?:an?|the|some|your|one|at least one|two|three|any|short|brief|quick|more))* ((?:[\w-]+ ?){1,4}).*$"#
    )
    /// What an answer can hold.
    private static let parts = TextPattern(
        #"\b(?:examples?|sources?|summary|reasons?|pros and cons|links?|references?|definitions?|tips?|alternatives?|analog(?:y|ies)|how (?:sure|certain|confident) you are|conclusion|fun facts?|synonyms?|translations?|counter-?arguments?|next steps?)\b"#
    )
    private static let aboutAnswers = TextPattern(
        #"\b(?:when(?:ever)? you (?:explain|answer|reply|recommend|suggest|show|describe|mention|tell|give|talk)|(?:each|every|all|any|your)(?: of)?(?: your)? (?:answers?|repl(?:y|ies)|responses?|explanations?))\b"#
    )

    private static func content(_ clause: PreferenceSentence.Clause) -> Match? {
        guard let found = contentForm.firstMatch(in: clause.text), let what = found[1],
            clause.isStanding,
            parts.matches(clause.text) || aboutAnswers.matches(clause.original.lowercased())
        else { return nil }
        let words = what.split(separator: " ").prefix(2).joined(separator: " ")
        return Match(manner: .content, value: words, isRetraction: clause.isStopped)
    }
}
