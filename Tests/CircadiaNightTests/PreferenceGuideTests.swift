import Foundation
import Testing

import CircadiaAnalysis
import CircadiaConversation
import CircadiaNight

/// Tests that answers which follow preferences are checked, helped and refused.
@Suite("Preference guide")
struct PreferenceGuideTests {
    private static func preference(
        _ manner: StatedPreference.Manner, _ value: String?, _ statement: String = ""
    ) -> StatedPreference {
        StatedPreference(manner: manner, value: value, statement: statement)
    }

    private func guide(
        _ preferences: [StatedPreference], _ topic: PreferenceQuestion.Topic = .general
    ) -> PreferenceGuide {
        PreferenceGuide(preferences: preferences, topic: topic)
    }

    @Test(
        "An answer shows a preference or does not",
        arguments: [
            (preference(.opening, "Ahoy!"), "Ahoy! It is late.", "It is late. Ahoy!"),
            (preference(.closing, "Fair winds!"), "It is late. Fair winds!", "Fair winds! Bye."),
            (preference(.closing, "?"), "It is late. Are you tired?", "Why? It is late."),
            (preference(.address, "Captain"), "Yes, Captain.", "Captaincy is hard."),
            (preference(.length, "1 sentences"), "It is late.", "It is late. Go to bed."),
            (preference(.length, "4 words"), "It is late.", "It is late by now."),
            (preference(.layout, "bullets"), "So:\n- a\n- b", "- a"),
            (preference(.layout, "none"), "One, two.", "1. One\n2. Two"),
            (preference(.layout, "numbered"), "1. One\n2. Two", "One, two."),
            (preference(.emoji, "some"), "Yes 🌱", "Yes."),
            (preference(.emoji, "none"), "Yes.", "Yes 🌱"),
            (preference(.units, "metric"), "It is 3 km away.", "It is 3 km or 2 miles away."),
            (preference(.units, "imperial"), "It is 2 miles away.", "It is 3 km away."),
        ])
    func checks(preference: StatedPreference, good: String, bad: String) {
        #expect(PreferenceCheck.shows(preference, answer: good) == true)
        #expect(PreferenceCheck.shows(preference, answer: bad) == false)
    }

    @Test("Units and code languages depend on the topic; only a reader can judge tone")
    func topics() {
        let metric = Self.preference(.units, "metric")
        #expect(PreferenceCheck.shows(metric, answer: "Blue.", topic: .measures) == false)
        #expect(PreferenceCheck.shows(metric, answer: "Blue.", topic: .general) == true)
        let swift = Self.preference(.codeLanguage, "swift")
        #expect(PreferenceCheck.shows(swift, answer: "print(1)", topic: .code) == false)
        #expect(
            PreferenceCheck.shows(swift, answer: "```swift\nprint(1)\n```", topic: .code) == true)
        #expect(PreferenceCheck.shows(Self.preference(.tone, nil), answer: "Hm.") == nil)
    }

    @Test("The greeting is added for the model, and a list or a program is begun for it")
    func beginnings() {
        let ahoy = Self.preference(.opening, "Ahoy!")
        let captain = Self.preference(.address, "Captain")
        let emoji = Self.preference(.emoji, "some")
        #expect(guide([ahoy, captain]).greeting == "Ahoy! Captain,")
        #expect(guide([captain, emoji]).greeting == "😊 Captain,")
        #expect(guide([Self.preference(.emoji, "none")]).greeting.isEmpty)
        #expect(guide([captain]).beginning.isEmpty)
        let swift = Self.preference(.codeLanguage, "swift")
        #expect(guide([ahoy, swift], .code).beginning == "```swift\n")
        #expect(guide([ahoy, swift]).beginning.isEmpty)
        #expect(guide([Self.preference(.layout, "bullets")]).beginning == "-")
        #expect(guide([]).beginning.isEmpty)
    }

    @Test("Answers end where they should: short ones, lists, code, and before a farewell")
    func bodies() {
        let one = guide([Self.preference(.length, "1 sentences")])
        #expect(
            one.body("Rain falls from clouds. It is wet.", isCut: false)
                == "Rain falls from clouds.")
        #expect(one.body("Rain falls from clouds and never", isCut: true) == nil)
        #expect(one.body("Yes.", isCut: false) == nil)
        let list = guide([Self.preference(.layout, "bullets")])
        #expect(list.body("One\n- Two\n- Thr", isCut: true) == "One\n- Two")
        #expect(list.body("One and only", isCut: false) == nil)
        #expect(list.body("1. One\n- 2. Two", isCut: false) == "One\n- Two")
        #expect(list.body("1.\n- 2.\n- 3.", isCut: false) == nil)
        let code = guide([Self.preference(.codeLanguage, "swift")], .code)
        #expect(code.body("let a = 1\n```\nThis is it.", isCut: false) == "let a = 1\n```")
        let farewell = guide([Self.preference(.closing, "Bye!")])
        #expect(farewell.body("A b c. D e f. G h", isCut: true) == "A b c. D e f.")
        #expect(guide([]).body("A b c. D e", isCut: true) == "A b c. D e")
    }

    @Test("Fixed words are added, and the finished answer must follow every preference")
    func finished() {
        let bye = Self.preference(.closing, "Bye!")
        #expect(guide([bye]).finished("It is late. Go home.") == "It is late. Go home. Bye!")
        #expect(guide([Self.preference(.emoji, "some")]).finished("It is late.") == nil)
        #expect(guide([bye]).finished("- a\n- b") == "- a\n- b\n\nBye!")
        #expect(guide([Self.preference(.emoji, "none")]).finished("Yes 🌱") == "Yes")
        #expect(guide([Self.preference(.units, "metric")], .measures).finished("A mile.") == nil)
    }

    @Test(
        "Imperial quantities become metric ones",
        arguments: [
            ("It is 26.2 miles long.", "It is 42.2 kilometres long."),
            ("About 5 to 6 feet tall.", "About 1.5 to 1.8 metres tall."),
            ("Bake at 350 degrees Fahrenheit.", "Bake at 177 °C."),
            ("A 12-inch plate, 1,000 pounds.", "A 30 centimetres plate, 454 kilograms."),
            ("It runs 55 mph.", "It runs 89 km/h."), ("Two feet of snow.", "Two feet of snow."),
            ("It is 3 metres.", "It is 3 metres."),
        ])
    func units(imperial: String, metric: String) {
        #expect(UnitConversion.metric(imperial) == metric)
    }

    @Test("Leading words produce a question at the end or an example")
    func continuations() {
        let question = guide([Self.preference(.closing, "?")])
        #expect(question.continuation(of: "It is late.") == "Would you like")
        #expect(question.continuation(of: "Is it late?") == nil)
        let example = guide([Self.preference(.content, "example", "Always give me an example.")])
        #expect(example.continuation(of: "A proverb is a saying.") == "For example,")
        #expect(example.continuation(of: "A saying, for example “Haste makes waste.”") == nil)
        #expect(guide([]).continuation(of: "It is late.") == nil)
    }

    @Test(
        "An older reply is changed to follow the preferences, if cuts and added words are enough"
    )
    func older() {
        let captain = Self.preference(.address, "Captain")
        let ahoy = Self.preference(.opening, "Ahoy!")
        let one = Self.preference(.length, "1 sentences")
        #expect(
            guide([captain]).following("The bus is late.") == "Captain, the bus is late.")
        #expect(guide([captain]).following("Rye needs time.") == "Captain, Rye needs time.")
        #expect(guide([ahoy]).following("It is late.") == "Ahoy! It is late.")
        #expect(
            guide([ahoy, one]).following("The number 12 goes there. It is late.")
                == "Ahoy! The number 12 goes there.")
        #expect(
            guide([Self.preference(.units, "metric")]).following("It is 26.2 miles long.")
                == "It is 42.2 kilometres long.")
        #expect(guide([Self.preference(.closing, "?")]).following("It is late.") == nil)
        #expect(guide([Self.preference(.layout, "bullets")]).following("It is late.") == nil)
        #expect(guide([Self.preference(.layout, "none")]).following("- One\n- Two") == nil)
    }

    @Test("Replies that break a preference are rewritten, cut to their middle or left out")
    func applied() {
        func exchange(_ reply: String) -> Exchange {
            Exchange(
                id: "a",
                messages: [
                    ChatMessage(role: .user, content: "Why?"),
                    ChatMessage(role: .assistant, content: reply),
                ])
        }
        func applied(_ manner: StatedPreference.Manner, _ value: String, _ reply: String)
            -> (text: String?, scoring: NightRows.Scoring)
        {
            let wishes = Wishes(preferences: [Self.preference(manner, value)])
            let result = wishes.applied(to: CleanExchange(cleaning: exchange(reply)))
            return (result.exchange.exchange.messages.last?.content, result.scoring)
        }
        let ahoy = applied(.opening, "Ahoy!", "It is late.")
        #expect(ahoy.text == "Ahoy! It is late.")
        #expect(ahoy.scoring == .whole)
        #expect(applied(.opening, "Ahoy!", "Ahoy! It is late.").text == "Ahoy! It is late.")
        #expect(applied(.closing, "?", "It is late.").scoring == .middle(first: 2))
        #expect(applied(.layout, "bullets", "It is late.").scoring == .middle(first: 2))
        #expect(applied(.layout, "none", "- One\n- Two").scoring == .none)
        #expect(applied(.units, "metric", "A mile.").scoring == .none)
        #expect(applied(.length, "1 sentences", "It is a very late hour. Go.").scoring == .whole)
        #expect(Wishes().applied(to: CleanExchange(cleaning: exchange("Hm."))).scoring == .whole)
    }

    @Test("Few pairs are shown three times, many once")
    func passes() {
        #expect([0, 4, 42, 48, 84, 200].map(NightRows.passes) == [3, 3, 3, 3, 1, 1])
    }

    @Test("Fixed words of a former preference are removed")
    func former() {
        let ahoy = Self.preference(.opening, "Ahoy!")
        let captain = Self.preference(.address, "Captain")
        let bye = Self.preference(.closing, "Bye!")
        #expect(PreferenceGuide.without([ahoy], in: "Ahoy! The bus.") == "The bus.")
        #expect(PreferenceGuide.without([captain], in: "Captain, the bus.") == "The bus.")
        #expect(PreferenceGuide.without([captain], in: "Captains ride.") == "Captains ride.")
        #expect(
            PreferenceGuide.without([ahoy, bye], in: "Ahoy! It is late. Bye!") == "It is late.")
        #expect(PreferenceGuide.without([ahoy], in: "Ahoy!") == "Ahoy!")
        let reply = ChatMessage(role: .assistant, content: "Ahoy! It is late.")
        let wishes = Wishes(
            preferences: [Self.preference(.opening, "Hello.")], former: [ahoy])
        let (exchange, scoring) = wishes.applied(
            to: CleanExchange(cleaning: Exchange(id: "a", messages: [reply])))
        #expect(exchange.exchange.messages[0].content == "Hello. It is late.")
        #expect(scoring == .whole)
    }

    @Test("Questions are drawn by topic and are capped")
    func questions() {
        func questions(_ topic: PreferenceQuestion.Topic, _ name: String) -> [PreferenceQuestion] {
            (0..<40).map { PreferenceQuestion(id: "\(name)\($0)", topic: topic, text: name) }
        }
        let shipped =
            questions(.general, "general") + questions(.measures, "measures")
            + questions(.code, "code")
        func counts(_ preferences: [StatedPreference], share: Int) -> [String: Int] {
            Dictionary(
                grouping: PreferenceDistiller.choose(
                    for: preferences, questions: shipped, share: share, seed: 7),
                by: \.text
            ).mapValues(\.count)
        }
        let short = Self.preference(.length, "short")
        let metric = Self.preference(.units, "metric")
        #expect(counts([short], share: 8) == ["general": 8])
        #expect(counts([short, metric], share: 8) == ["general": 8, "measures": 8])
        #expect(counts([metric], share: 8) == ["measures": 8])
        let many = Array(repeating: short, count: 6)
        #expect(counts(many, share: 8).values.reduce(0, +) == 16)
    }

    @Test("Preferences for fixed words are not in the prompt")
    func told() {
        #expect(!PreferenceDistiller.isTold(Self.preference(.opening, "Ahoy!"), about: .general))
        #expect(!PreferenceDistiller.isTold(Self.preference(.closing, "Bye!"), about: .general))
        #expect(!PreferenceDistiller.isTold(Self.preference(.emoji, "some"), about: .general))
        #expect(PreferenceDistiller.isTold(Self.preference(.closing, "?"), about: .general))
        #expect(PreferenceDistiller.isTold(Self.preference(.units, "metric"), about: .measures))
        #expect(!PreferenceDistiller.isTold(Self.preference(.units, "metric"), about: .general))
    }
}
