import Foundation

/// What a question says about time.
struct TimeWords {
    /// The span of time that the question names, if it names one: “last week”, “in May 2023”.
    let interval: Range<Date>?
    /// Whether the question asks for a time: “when”, “what year”.
    let asksForTime: Bool
    /// Words that say how long ago and are no words to search for: “3 days ago”. (“Last week” is
    /// left in: people say it of the past as well as about it.)
    let relativeWords: Set<String>

    /// Reads a question; `now` is when it is asked.
    init(question: String, now: Date) {
        asksForTime = Self.timeQuestion.matches(question)
        var relativeWords: Set<String> = []
        interval = Self.interval(in: question, now: now, &relativeWords)
        self.relativeWords = relativeWords
    }

    /// Whether a text names a time: an answer to “when” mostly does.
    static func namesTime(_ text: String) -> Bool { timeMention.matches(text) }

    /// Whether a term is a number or a month's.
    static func isPartOfDate(_ term: String) -> Bool {
        term.allSatisfy(\.isNumber) || monthTerms.contains(term)
    }

    private static let monthTerms = Set(months.map(SearchWords.term))

    private static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december",
    ]
    private static let weekdays = [
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    ]

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

    // MARK: Spans of time

    private static func interval(
        in question: String, now: Date, _ relativeWords: inout Set<String>
    ) -> Range<Date>? {
        let words = question.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "-" }
            .map(String.init)
        let today = Int((now.timeIntervalSince1970 / 86_400).rounded(.down))
        for (index, word) in words.enumerated() {
            let next = index + 1 < words.count ? words[index + 1] : ""
            let previous = index > 0 ? words[index - 1] : ""
            if let date = Timestamp.date(word), word.count == 10 {
                return span(from: Int(date.timeIntervalSince1970 / 86_400), days: 1)
            }
            switch word {
            case "yesterday": return span(from: today - 1, days: 1)
            case "today", "tonight": return span(from: today, days: 1)
            case "ago":
                if let found = ago(words.prefix(index), today: today) {
                    relativeWords = Set(
                        words[max(0, index - 2)...index].flatMap(SearchWords.words))
                    return found
                }
            case "last", "past", "previous":
                if let found = last(next, today: today) { return found }
            case "this":
                if let found = this(next, today: today) { return found }
            default: break
            }
            if let month = months.firstIndex(of: word) {
                // “may” is mostly a verb; a month needs a preposition or a number beside it.
                let isMonth =
                    word != "may" && word != "march" || Int(digits(next)) != nil
                    || Int(digits(previous)) != nil
                    || ["in", "of", "last", "since", "during", "on", "by"].contains(previous)
                if isMonth {
                    return monthSpan(
                        month + 1, before: previous, after: Array(words.dropFirst(index + 1)),
                        today: today)
                }
            }
            if let year = Int(word), (1990...2100).contains(year), word.count == 4 {
                return yearSpan(year)
            }
        }
        return nil
    }

    private static func digits(_ word: String) -> String { String(word.prefix { $0.isNumber }) }

    private static func span(from day: Int, days: Int) -> Range<Date> {
        let start = Date(timeIntervalSince1970: Double(day) * 86_400)
        return start..<start.addingTimeInterval(Double(max(1, days)) * 86_400)
    }

    private static func yearSpan(_ year: Int) -> Range<Date> {
        let start = Timestamp.daysSince1970(year: year, month: 1, day: 1)
        let end = Timestamp.daysSince1970(year: year + 1, month: 1, day: 1)
        return span(from: start, days: end - start)
    }

    private static func monthSpan(_ year: Int, _ month: Int) -> Range<Date> {
        let start = Timestamp.daysSince1970(year: year, month: month, day: 1)
        return span(from: start, days: Timestamp.daysIn(month: month, year: year))
    }

    /// “5 May 2023”, “May 5th”, “in May 2023”, “in May”: without a year the latest that is past.
    private static func monthSpan(
        _ month: Int, before: String, after: [String], today: Int
    ) -> Range<Date> {
        let (thisYear, thisMonth, _) = Timestamp.civilDate(daysSince1970: today)
        var day = Int(digits(before)).flatMap { (1...31).contains($0) ? $0 : nil }
        var year: Int?
        for word in after.prefix(2) {
            guard let number = Int(digits(word)) else { break }
            if (1900...2100).contains(number) {
                year = number
                break
            }
            if day == nil, (1...31).contains(number) { day = number }
        }
        let chosenYear = year ?? (month <= thisMonth ? thisYear : thisYear - 1)
        guard let day, day <= Timestamp.daysIn(month: month, year: chosenYear) else {
            return monthSpan(chosenYear, month)
        }
        return span(
            from: Timestamp.daysSince1970(year: chosenYear, month: month, day: day), days: 1)
    }

    private static func ago(_ words: ArraySlice<String>, today: Int) -> Range<Date>? {
        guard let unit = words.last, let countWord = words.dropLast().last else { return nil }
        let named = ["a": 1, "an": 1, "couple": 2, "few": 3, "two": 2, "three": 3, "four": 4]
        guard let count = Int(countWord) ?? named[countWord], count < 10_000 else { return nil }
        if unit.hasPrefix("day") { return span(from: today - count, days: 1) }
        if unit.hasPrefix("week") { return span(from: today - count * 7 - 3, days: 7) }
        if unit.hasPrefix("month") { return span(from: today - count * 30 - 15, days: 31) }
        if unit.hasPrefix("year") { return span(from: today - count * 365 - 182, days: 365) }
        return nil
    }

    private static func last(_ unit: String, today: Int) -> Range<Date>? {
        let weekday = ((today + 3) % 7 + 7) % 7
        let (year, month, _) = Timestamp.civilDate(daysSince1970: today)
        if let wanted = weekdays.firstIndex(of: unit) {
            return span(from: today - (weekday - wanted + 6) % 7 - 1, days: 1)
        }
        switch unit {
        case "night": return span(from: today - 1, days: 1)
        case "week": return span(from: today - weekday - 7, days: 7)
        case "weekend": return span(from: today - weekday - 2, days: 2)
        case "month": return month == 1 ? monthSpan(year - 1, 12) : monthSpan(year, month - 1)
        case "year": return yearSpan(year - 1)
        default: return nil
        }
    }

    private static func this(_ unit: String, today: Int) -> Range<Date>? {
        let weekday = ((today + 3) % 7 + 7) % 7
        let (year, month, _) = Timestamp.civilDate(daysSince1970: today)
        switch unit {
        case "morning", "evening", "afternoon": return span(from: today, days: 1)
        case "week": return span(from: today - weekday, days: 7)
        case "month": return monthSpan(year, month)
        case "year": return yearSpan(year)
        default: return nil
        }
    }
}
