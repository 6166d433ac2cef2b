import CircadiaAnalysis
import Foundation

/// What a question says about time.
package struct TimeWords {
    /// The span of time that the question names, if it names one: “last week”, “in May 2023”.
    package let interval: Range<Date>?
    /// Whether the question asks for a time: “when”, “what year”.
    let asksForTime: Bool
    /// Whether the question asks for what was said in a span of time and names nothing besides:
    /// “What did we talk about yesterday?”
    let asksForThatTime: Bool
    /// Words that say how long ago and are no words to search for: “3 days ago”. (“Last week” is
    /// left in: people say it of the past as well as about it.)
    let relativeWords: Set<String>

    /// Reads a question; `now` is when it is asked.
    package init(question: String, now: Date) {
        asksForTime = Self.timeQuestion.matches(question)
        var relativeWords: Set<String> = []
        let span = TimeSpan.find(in: question, now: now, &relativeWords)
        interval = span.map {
            Date(
                timeIntervalSince1970: Double($0.lowerBound) * 86_400)..<Date(
                    timeIntervalSince1970: Double($0.upperBound) * 86_400)
        }
        self.relativeWords = relativeWords
        asksForThatTime =
            interval.map { $0.lowerBound <= now } ?? false
            && SearchWords.words(in: question).allSatisfy { Self.sayNoMore.contains($0) }
    }

    /// Whether a text names a time: an answer to “when” mostly does.
    static func namesTime(_ text: String) -> Bool { timeMention.matches(text) }

    /// Whether a term is a number or a month's.
    static func isPartOfDate(_ term: String) -> Bool {
        term.allSatisfy(\.isNumber) || monthTerms.contains(term)
    }

    private static let monthTerms = Set(TimeSpan.months.map(SearchWords.term))

    /// Words of a question about a time, and words for talking, none of which is a topic.
    private static let sayNoMore: Set<String> = EnglishWords.stopWords
        .union(TimeSpan.months).union(TimeSpan.weekdays).union(TimeSpan.seasons.keys)
        .union(TimeSpan.numberWords.keys).union((1...31).map(String.init))
        .union((1...31).flatMap { ["\($0)st", "\($0)nd", "\($0)rd", "\($0)th"] })
        .union((1990...2100).map(String.init))
        .union(
            """
            yesterday today tonight ago last past previous day days week weeks weekend month months \
            year years st nd rd th first second third fourth \
            morning evening afternoon night early late mid beginning end since earlier \
            talk talked talking discuss discussed chat chatted chatting speak say tell told mention \
            mentioned ask asked happen happened conversation conversations anything something \
            everything remember recall remind please thing things know
            """.split(separator: " ").map { SearchWords.canonical(String($0)) })

    private static let timeQuestion = TextPattern(
        #"\bwhen\b(?! (?:i|you|we|they|he|she|it)\b)"#,
        #"\b(?:what|which) (?:year|month|week|day|date|time)\b"#,
        #"\bhow (?:long|recently|often)\b"#,
        ignoringCase: true)

    private static let timeMention = TextPattern(
        #"\b(?:yesterday|today|tonight|tomorrow|ago|since|recently|weekend)\b"#,
        #"\b(?:last|next|this) (?:week|month|year|night|morning|evening|summer|winter|spring)\b"#,
        #"\b(?:last|next|this) (?:fall|autumn|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"#,
        #"\b(?:january|february|march|april|june|july|august|september|october)\b"#,
        #"\b(?:november|december|in may|may \d|\d(?:st|nd|rd|th)? (?:of )?may)\b"#,
        #"\b(?:19|20)\d\d\b"#,
        ignoringCase: true)
}
