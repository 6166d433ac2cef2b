import CircadiaConversation
import Foundation

/// The span of time that a question names, in whole days since 1970-01-01, UTC.
///
/// Read from left to right; the first that is understood counts. What needs a year and names none is
/// the latest that has begun.
package struct TimeSpan {
    private let words: [String]
    private let today: Int
    /// Monday is 0.
    private var weekday: Int { ((today + 3) % 7 + 7) % 7 }
    private var now: (year: Int, month: Int, day: Int) {
        Timestamp.civilDate(daysSince1970: today)
    }

    /// Reads a question asked at `now`.
    ///
    /// - Parameters:
    ///   - question: any text.
    ///   - now: when it is asked.
    ///   - relativeWords: gets the words that say how long ago, as they are searched for.
    /// - Returns: days since 1970-01-01; nil where no time is named.
    package static func find(
        in question: String, now: Date, _ relativeWords: inout Set<String>
    ) -> Range<Int>? {
        let words = question.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "-" }
            .map(String.init)
        let span = TimeSpan(
            words: words, today: Int((now.timeIntervalSince1970 / 86_400).rounded(.down)))
        for index in words.indices {
            if let found = span.found(at: index, &relativeWords) {
                return span.bounded(found, at: index)
            }
        }
        return nil
    }

    private func word(_ index: Int) -> String {
        words.indices.contains(index) ? words[index] : ""
    }

    private func found(at index: Int, _ relativeWords: inout Set<String>) -> Range<Int>? {
        let next = word(index + 1)
        if let date = day(words[index]) { return date }
        switch words[index] {
        case "yesterday": return Self.span(from: today - 1, days: 1)
        case "day" where next == "before" && word(index + 2) == "yesterday":
            return Self.span(from: today - 2, days: 1)
        case "day" where word(index - 1) == "other" && word(index - 2) == "the":
            return Self.span(from: today - 7, days: 7)
        case "today", "tonight": return Self.span(from: today, days: 1)
        case "ago", "back":
            guard let (span, start) = ago(before: index) else { return nil }
            relativeWords = Set(words[start...index].flatMap(SearchWords.words))
            return span
        case "last", "past", "previous":
            // “The last week of May” is the month's.
            if word(index + 2) == "of", Self.month(of: word(index + 3)) != nil { return nil }
            return last(next) ?? lastMany(after: index)
        case "this": return this(next)
        case "on":
            if let day = Self.weekdays.firstIndex(of: next) { return lastWeekday(day) }
            return next == "the" ? dayOfMonth(word(index + 2), after: word(index + 3)) : nil
        default: return month(at: index) ?? season(at: index) ?? year(words[index])
        }
    }

    // MARK: Days

    /// The English names of weekdays, in lower case, Sunday or Monday first as `Calendar` counts.
    package static let weekdays = [
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    ]

    private static func span(from day: Int, days: Int) -> Range<Int> { day..<day + max(1, days) }

    /// `2023-05-08`, or the month `2023-05`.
    private func day(_ word: String) -> Range<Int>? {
        let parts = word.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, parts[0].count == 4,
            parts.dropFirst().allSatisfy({ $0.count == 2 })
        else { return nil }
        let numbers = parts.compactMap { Int($0) }
        guard numbers.count == parts.count, (1...12).contains(numbers[1]) else { return nil }
        if numbers.count == 2 { return Self.monthSpan(numbers[0], numbers[1]) }
        return Self.daySpan(numbers[0], numbers[1], numbers[2])
    }

    private static func daySpan(_ year: Int, _ month: Int, _ day: Int) -> Range<Int>? {
        guard (1...Timestamp.daysIn(month: month, year: year)).contains(day) else { return nil }
        return span(from: Timestamp.daysSince1970(year: year, month: month, day: day), days: 1)
    }

    private func lastWeekday(_ wanted: Int) -> Range<Int> {
        Self.span(from: today - (weekday - wanted + 6) % 7 - 1, days: 1)
    }

    /// “On the 5th”: of this month, or of the one before.
    private func dayOfMonth(_ word: String, after following: String) -> Range<Int>? {
        guard following != "of", Self.month(of: following) == nil,
            ["st", "nd", "rd", "th"].contains(String(word.suffix(2))),
            let day = Int(word.dropLast(2)), (1...31).contains(day)
        else { return nil }
        let (year, month, thisDay) = now
        if day <= thisDay { return Self.daySpan(year, month, day) }
        return month == 1 ? Self.daySpan(year - 1, 12, day) : Self.daySpan(year, month - 1, day)
    }

    // MARK: How long ago

    /// Numbers as they are said of days, weeks and years.
    package static let numberWords = [
        "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
        "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "couple": 2, "few": 3,
        "some": 3, "several": 4,
    ]

    private static func number(_ word: String) -> Int? {
        (Int(word) ?? numberWords[word]).flatMap { (1..<10_000).contains($0) ? $0 : nil }
    }

    /// How long a unit of time is: “day”, “weeks”.
    private static func days(in unit: String) -> Int? {
        if unit.hasPrefix("day") || unit == "night" || unit == "evening" { return 1 }
        if unit.hasPrefix("week") { return 7 }
        if unit.hasPrefix("month") { return 30 }
        return unit.hasPrefix("year") ? 365 : nil
    }

    /// “Three days ago”, “a couple of weeks ago”; and where that begins.
    private func ago(before index: Int) -> (span: Range<Int>, start: Int)? {
        let unit = word(index - 1)
        var start = index - 2
        if word(start) == "of" { start -= 1 }
        guard let count = Self.number(word(start)) else { return nil }
        if word(start - 1) == "a", Int(word(start)) == nil { start -= 1 }
        let span: Range<Int>
        if unit.hasPrefix("minute") || unit.hasPrefix("hour") {
            span = Self.span(from: today, days: 1)
        } else if unit.hasPrefix("day") {
            span = Self.span(from: today - count, days: 1)
        } else if unit.hasPrefix("week") {
            span = Self.span(from: today - count * 7 - 3, days: 7)
        } else if unit.hasPrefix("fortnight") {
            span = Self.span(from: today - count * 14 - 3, days: 7)
        } else if unit.hasPrefix("month") {
            span = Self.span(from: today - count * 30 - 15, days: 31)
        } else if unit.hasPrefix("year") {
            span = Self.span(from: today - count * 365 - 182, days: 365)
        } else {
            return nil
        }
        return (span, start)
    }

    /// “The last three weeks”, “the past few days”: up to today.
    private func lastMany(after index: Int) -> Range<Int>? {
        guard let count = Self.number(word(index + 1)) else { return nil }
        let unit = word(index + 2) == "of" ? word(index + 3) : word(index + 2)
        guard let days = Self.days(in: unit).map({ $0 * count }) else { return nil }
        return today - days..<today + 1
    }

    private func last(_ unit: String) -> Range<Int>? {
        let (year, month, _) = now
        if let wanted = Self.weekdays.firstIndex(of: unit) { return lastWeekday(wanted) }
        if Self.seasons[unit] != nil { return season(unit, year: nil, hasEnded: true) }
        switch unit {
        case "night": return Self.span(from: today - 1, days: 1)
        case "week": return Self.span(from: today - weekday - 7, days: 7)
        case "weekend": return Self.span(from: today - weekday - 2, days: 2)
        case "month":
            return month == 1 ? Self.monthSpan(year - 1, 12) : Self.monthSpan(year, month - 1)
        case "year": return Self.yearSpan(year - 1)
        default: return nil
        }
    }

    private func this(_ unit: String) -> Range<Int>? {
        let (year, month, _) = now
        if let wanted = Self.weekdays.firstIndex(of: unit) {
            return Self.span(from: today - weekday + wanted, days: 1)
        }
        if Self.seasons[unit] != nil { return season(unit, year: nil, hasEnded: false) }
        switch unit {
        case "morning", "evening", "afternoon": return Self.span(from: today, days: 1)
        case "week": return Self.span(from: today - weekday, days: 7)
        case "weekend": return Self.span(from: today - weekday + 5, days: 2)
        case "month": return Self.monthSpan(year, month)
        case "year": return Self.yearSpan(year)
        default: return nil
        }
    }

    // MARK: Months

    /// The English names of months, in lower case, January first.
    package static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december",
    ]

    private static func month(of word: String) -> Int? {
        let short = word == "sept" ? "sep" : word
        let index = months.firstIndex { $0 == word || (short.count == 3 && $0.hasPrefix(short)) }
        return index.map { $0 + 1 }
    }

    private static func digits(_ word: String) -> String { String(word.prefix { $0.isNumber }) }

    private static func monthSpan(_ year: Int, _ month: Int) -> Range<Int> {
        span(
            from: Timestamp.daysSince1970(year: year, month: month, day: 1),
            days: Timestamp.daysIn(month: month, year: year))
    }

    /// “5 May 2023”, “May 5th”, “early May”, “in May”: without a year the latest that has begun.
    private func month(at index: Int) -> Range<Int>? {
        guard let month = Self.month(of: words[index]) else { return nil }
        var before = index - 1
        if word(before) == "of" || word(before) == "in" { before -= 1 }
        let (previous, next) = (word(index - 1), word(index + 1))
        // “May” is mostly a verb, “Jan” a name: such a month needs a preposition or a number beside it.
        let isWord = ["may", "march"].contains(words[index]) || words[index].count < 5
        let isMonth =
            !isWord || ["june", "july"].contains(words[index]) || Int(Self.digits(next)) != nil
            || Int(Self.digits(previous)) != nil || Self.parts[previous] != nil
            || [
                "in", "of", "last", "since", "during", "on", "by", "before", "after", "until",
                "between",
            ].contains(previous)
        guard isMonth else { return nil }
        var day =
            previous == "in"
            ? nil : Int(Self.digits(word(before))).flatMap { (1...31).contains($0) ? $0 : nil }
        var year: Int?
        for word in words.dropFirst(index + 1).prefix(2) {
            guard let number = Int(Self.digits(word)) else { break }
            if (1900...2100).contains(number) {
                year = number
                break
            }
            if day == nil, (1...31).contains(number) { day = number }
        }
        let chosenYear = year ?? (month <= now.month ? now.year : now.year - 1)
        if let day, let span = Self.daySpan(chosenYear, month, day) { return span }
        return part(of: Self.monthSpan(chosenYear, month), namedBefore: before)
    }

    /// Which days of a month its parts are, counted from 0.
    private static let parts = [
        "early": 0..<10, "beginning": 0..<10, "start": 0..<10, "mid": 10..<20, "middle": 10..<20,
        "late": 20..<31, "end": 20..<31,
    ]

    /// “Early May”, “the end of May”.
    private func part(of month: Range<Int>, namedBefore index: Int) -> Range<Int> {
        guard let days = Self.parts[word(index)] else { return month }
        return (month.lowerBound + days.lowerBound..<month.lowerBound + days.upperBound)
            .clamped(to: month)
    }

    // MARK: Seasons and years

    /// The first month of each season, as the north has them; all last three.
    package static let seasons = ["spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12]

    /// “In the summer of 2022”, “spring 2023”, “in winter”.
    private func season(at index: Int) -> Range<Int>? {
        guard Self.seasons[words[index]] != nil else { return nil }
        let following = word(index + 1) == "of" ? word(index + 2) : word(index + 1)
        if let year = Int(following), (1900...2100).contains(year) {
            return season(words[index], year: year, hasEnded: false)
        }
        let previous = word(index - 1) == "the" ? word(index - 2) : word(index - 1)
        guard ["in", "during", "over", "since"].contains(previous) else { return nil }
        return season(words[index], year: nil, hasEnded: false)
    }

    /// A season of a year, or the latest that has begun or ended. A winter is of the year it begins in.
    private func season(_ name: String, year: Int?, hasEnded: Bool) -> Range<Int>? {
        guard let first = Self.seasons[name] else { return nil }
        func span(_ year: Int) -> Range<Int> {
            let end =
                first == 12 ? Self.monthSpan(year + 1, 2) : Self.monthSpan(year, first + 2)
            return Self.monthSpan(year, first).lowerBound..<end.upperBound
        }
        if let year { return span(year) }
        return (0...2).map { span(now.year - $0) }
            .first { (hasEnded ? $0.upperBound : $0.lowerBound) <= today }
    }

    private func year(_ word: String) -> Range<Int>? {
        guard word.count == 4, let year = Int(word), (1990...2100).contains(year) else {
            return nil
        }
        return Self.yearSpan(year)
    }

    private static func yearSpan(_ year: Int) -> Range<Int> {
        Timestamp.daysSince1970(
            year: year, month: 1, day: 1)..<Timestamp.daysSince1970(
                year: year + 1, month: 1, day: 1)
    }

    // MARK: Bounds

    /// Days that “before” reaches back.
    private static let longAgo = 3650

    /// “The week before 3 August”, “two days after 3 August”, “the Sunday before 3 August”: with the day that
    /// it is counted from, on which people still tell of it.
    private func beside(_ span: Range<Int>, at index: Int) -> Range<Int>? {
        let isBefore = word(index) == "before"
        let unit = word(index - 1)
        let count = Self.number(word(index - 2)) ?? 1
        let isWeekday = Self.weekdays.contains(unit)
        guard let days = isWeekday ? 7 : Self.days(in: unit).map({ $0 * count }) else { return nil }
        return isBefore
            ? span.lowerBound - days..<span.upperBound : span.lowerBound..<span.upperBound + days
    }

    /// “Since May” up to today, “between May and July” up to the second, “before May”.
    private func bounded(_ span: Range<Int>, at index: Int) -> Range<Int> {
        var before = index - 1
        // The day of “5 May” stands before the month.
        if Int(Self.digits(word(before))) != nil || word(before) == "the" { before -= 1 }
        switch word(before) {
        case "since": return span.lowerBound..<max(today + 1, span.upperBound)
        case "between", "from":
            var ignored: Set<String> = []
            guard
                let second = words.indices.dropFirst(index + 1).first(where: {
                    ["and", "to", "until"].contains(words[$0])
                })
            else { return span }
            for index in words.indices.dropFirst(second + 1).prefix(3) {
                guard let end = found(at: index, &ignored) else { continue }
                // “Between May and July 2022” gives the year last.
                let hasYear = words[..<second].contains { year($0) != nil }
                if !hasYear, end.lowerBound < span.lowerBound {
                    let start = Timestamp.civilDate(daysSince1970: span.lowerBound)
                    let last = Timestamp.civilDate(daysSince1970: end.lowerBound)
                    let year = start.month <= last.month ? last.year : last.year - 1
                    let moved = Timestamp.daysSince1970(
                        year: year, month: start.month, day: start.day)
                    return moved..<end.upperBound
                }
                return span.lowerBound..<max(span.upperBound, end.upperBound)
            }
            return span
        case "before", "until":
            return beside(span, at: before) ?? span.lowerBound - Self.longAgo..<span.lowerBound
        case "after":
            return beside(span, at: before) ?? span.upperBound..<max(today, span.upperBound) + 1
        default: return span
        }
    }
}
