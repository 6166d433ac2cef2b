import CircadiaTestSupport
import Foundation
import Testing

import CircadiaConversation
import CircadiaRetrieval

/// What the program understands of time words, asked on Wednesday, 24 May 2023.
@Suite("Time words")
struct TimeWordsTests {
    private static let now = Timestamp.date("2023-05-24T12:00:00Z") ?? .distantPast

    /// A question, the first day of its span and the last; nil for no span.
    static let cases: [(question: String, first: String?, last: String?)] = [
        ("What did I eat yesterday?", "2023-05-23", "2023-05-23"),
        ("What did I eat the day before yesterday?", "2023-05-22", "2023-05-22"),
        ("What did I say this morning?", "2023-05-24", "2023-05-24"),
        ("What was it last night?", "2023-05-23", "2023-05-23"),
        ("What happened three days ago?", "2023-05-21", "2023-05-21"),
        ("What happened 10 days ago?", "2023-05-14", "2023-05-14"),
        ("What happened a couple of days ago?", "2023-05-22", "2023-05-22"),
        ("What happened a few weeks ago?", "2023-04-30", "2023-05-06"),
        ("Two weeks back you told me something", "2023-05-07", "2023-05-13"),
        ("What happened last week?", "2023-05-15", "2023-05-21"),
        ("What happened last weekend?", "2023-05-20", "2023-05-21"),
        ("What happened this week?", "2023-05-22", "2023-05-28"),
        ("What happened in the last three days?", "2023-05-21", "2023-05-24"),
        ("the past couple of weeks", "2023-05-10", "2023-05-24"),
        ("What happened last month?", "2023-04-01", "2023-04-30"),
        ("What happened last year?", "2022-01-01", "2022-12-31"),
        ("What happened last Friday?", "2023-05-19", "2023-05-19"),
        ("What did she say on Monday?", "2023-05-22", "2023-05-22"),
        ("What did she say on Wednesday?", "2023-05-17", "2023-05-17"),
        ("What did I do the other day?", "2023-05-17", "2023-05-23"),
        ("In May 2022, where were we?", "2022-05-01", "2022-05-31"),
        ("Where were we in May?", "2023-05-01", "2023-05-31"),
        ("Where were we in June?", "2022-06-01", "2022-06-30"),
        ("Where were we in early June?", "2022-06-01", "2022-06-10"),
        ("at the end of April", "2023-04-21", "2023-04-30"),
        ("on 5 May 2023", "2023-05-05", "2023-05-05"),
        ("on May 5th", "2023-05-05", "2023-05-05"),
        ("on the 5th of May", "2023-05-05", "2023-05-05"),
        ("on the 5th", "2023-05-05", "2023-05-05"),
        ("on the 28th", "2023-04-28", "2023-04-28"),
        ("on 2023-04-09", "2023-04-09", "2023-04-09"),
        ("in 2023-04", "2023-04-01", "2023-04-30"),
        ("in Sept 2022", "2022-09-01", "2022-09-30"),
        ("the trip of 2021", "2021-01-01", "2021-12-31"),
        ("last summer", "2022-06-01", "2022-08-31"),
        ("in the winter of 2021", "2021-12-01", "2022-02-28"),
        ("since March", "2023-03-01", "2023-05-24"),
        ("between February and April", "2023-02-01", "2023-04-30"),
        ("between May and July 2022", "2022-05-01", "2022-07-31"),
        ("the week before 3 May 2023", "2023-04-26", "2023-05-03"),
        ("after 20 May 2023", "2023-05-21", "2023-05-24"),
        ("May I ask what you may know?", nil, nil),
        ("Will Jan march to the bank of a spring?", nil, nil),
        ("When did she come back?", nil, nil),
        ("What is the last thing that I said?", nil, nil),
    ]

    @Test("Spans are read relative to now", arguments: cases)
    func spans(_ one: (question: String, first: String?, last: String?)) {
        let interval = TimeWords(question: one.question, now: Self.now).interval
        #expect(interval.map { Timestamp.day($0.lowerBound) } == one.first, "\(one.question)")
        let last = interval.map { Timestamp.day($0.upperBound.addingTimeInterval(-1)) }
        #expect(last == one.last, "\(one.question)")
    }

    @Test("Any now and any words are safe")
    func anyText() {
        let words = [
            "last", "ago", "may", "31", "february", "between", "and", "the", "of", "week", "on",
            "before", "2023", "29th", "0th", "99999999999999999999", "a", "few", "-", "2023-02-31",
        ]
        for seed in 0..<2000 {
            let text = (0..<5).map { words[(seed * 7 + $0 * (seed % 13 + 1)) % words.count] }
            let now = Date(timeIntervalSince1970: Double(seed - 1000) * 86_400 * 29)
            _ = TimeWords(question: text.joined(separator: " "), now: now)
        }
    }

    @Test(
        "A question about a time alone brings what was said then; a topic or a coming day does not")
    func timeAlone() throws {
        let folder = try TemporaryFolder()
        let store = try RetrievalStore(directory: folder.file("rag"), embedder: WordEmbedder())
        let start = Self.now.addingTimeInterval(-20 * 86_400)
        try store.ingest(
            (0..<20).map { day in
                var one = exchange("d\(day)", "Subject\(day) is fine, and so is matter\(day).")
                one.timestamp = start.addingTimeInterval(Double(day) * 86_400)
                return one
            }, policy: .chat)
        func found(_ question: String) throws -> [String] {
            try store.relevant(to: question, limit: 3, now: Self.now).map(\.id).sorted()
        }
        #expect(try found("What did we talk about yesterday?") == ["d19"])
        #expect(try found("What did I tell you three days ago?") == ["d17"])
        #expect(try found("What did I tell you on the 10th?") == ["d6"])
        #expect(try found("What's the weather like today?").isEmpty)
        #expect(try found("What did we talk about last year?").isEmpty)
    }
}
