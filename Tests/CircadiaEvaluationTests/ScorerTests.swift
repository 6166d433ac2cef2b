import Testing

import CircadiaEvaluation

@Suite struct ScorerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let reply: String
        let passes: Bool
        var testDescription: String { "\(passes ? "passes" : "fails"): \(reply.debugDescription)" }

        init(_ reply: String, _ passes: Bool) {
            self.reply = reply
            self.passes = passes
        }
    }

    @Test(arguments: [
        Case("The capital is Paris.", true),
        Case("PARIS!", true),
        Case("**Paris**", true),
        Case("The parish church.", false),
        Case("Comparison", false),
        Case("", false),
        Case("Paris, not London.", false),
        Case("In New\nYork, of course.", true),
        Case("new york", true),
        Case("A new yorkshire pudding", false),
        Case("one two three four five six Paris", false),
    ])
    func containsAnyFindsWholeWords(_ example: Case) {
        let scorer = ContainsAnyScorer(
            any: ["Paris", "New York"], none: ["London"], maxWords: 6)
        #expect(scorer.passes(example.reply) == example.passes)
    }

    @Test func containsAnyIgnoresTypesetting() {
        let scorer = ContainsAnyScorer(any: ["don't", "CO2", "sorry!"])
        #expect(scorer.passes("I don\u{2019}t know"))
        #expect(scorer.passes("It is CO2, a gas"))
        #expect(!scorer.passes("It is CO20"))
        #expect(scorer.passes("So sorry!!"))
    }

    @Test(arguments: [
        Case("7 + 5 = 12", true),
        Case("The answer is 12.", true),
        Case("The answer is 12. Add 7 and 5 to see it.", true),
        Case("7 and 5 make twelve, that is 12", true),
        Case("Answer: 12", true),
        Case("The answer to 7 plus 5 is 12", true),
        Case("The answer: 7 + 5 = 12", true),
        Case("7 + 5 = 12. So 7 plus 5 equals that, see page 3", true),
        Case("$12.00", true),
        Case("= **12**", true),
        Case("= \\boxed{12}", true),
        Case("12 is wrong, the answer is 13", false),
        Case("The answer is 11, since 7 + 5 is 12", false),
        Case("The answer is 11, since 7 + 5 = 12", false),
        Case("The answer is **12**, for 20 - 8 = 12, not 9", true),
        Case("The answer is 12 + 0 = 13", false),
        Case("7 + 5 = 11", false),
        Case("I have 12 apples and eat 2", false),
        Case("112", false),
        Case("12.5", false),
        Case("-12", false),
        Case("vitamin B12", false),
        Case("twelve", false),
        Case("", false),
    ])
    func numericReadsTheAnswerNotTheFirstNumber(_ example: Case) {
        #expect(NumericScorer(answer: 12).passes(example.reply) == example.passes)
    }

    @Test func numericKnowsSignsSeparatorsAndTolerance() {
        #expect(NumericScorer(answer: 1250).passes("It costs 1,250 euros"))
        #expect(NumericScorer(answer: -3).passes("2 - 5 = -3"))
        #expect(NumericScorer(answer: -3).passes("It is \u{2212}3 degrees"))
        #expect(NumericScorer(answer: 2).passes("5-3=2"))
        #expect(NumericScorer(answer: 0.3).passes("0.30"))
        #expect(NumericScorer(answer: 3.14, tolerance: 0.01).passes("about 3.1416"))
        #expect(!NumericScorer(answer: 3.14, tolerance: 0.001).passes("about 3.1416"))
    }

    @Test(arguments: [
        Case("{\"name\": \"Ann\", \"age\": 3}", true),
        Case("Sure!\n```json\n{\"age\": 3, \"name\": null, \"more\": {}}\n```\nDone.", true),
        Case("{\"name\": \"a } brace\", \"age\": 3}", true),
        Case("{\"name\": \"a \\\" quote {\", \"age\": 3}", true),
        Case("Use {braces}: {\"name\": 1, \"age\": 2}", true),
        Case("{\"name\": \"Ann\"}", false),
        Case("{\"name\": \"Ann\"} {\"name\": 1, \"age\": 2}", false),
        Case("{\"person\": {\"name\": 1, \"age\": 2}}", false),
        Case("{'name': 'Ann', 'age': 3}", false),
        Case("{\"name\": \"Ann\", \"age\": 3", false),
        Case("\"name\": \"Ann\", \"age\": 3", false),
        Case("[\"name\", \"age\"]", false),
        Case("name and age", false),
    ])
    func jsonKeysWantsAnObjectThatParses(_ example: Case) {
        #expect(JSONKeysScorer(keys: ["name", "age"]).passes(example.reply) == example.passes)
    }

    @Test(arguments: [
        Case("- a\n- b\n- c", true),
        Case("Here you are:\n\n* one\n* two\n* three\n\nEnjoy!", true),
        Case("  • x\r\n  • y\r\n  • z", true),
        Case("- a\n- b", false),
        Case("- a\n- b\n- c\n- d", false),
        Case("1. a\n2. b\n3. c", false),
        Case("-a\n-b\n-c", false),
        Case("**a**\n**b**\n**c**", false),
        Case("---\n- - -\n---", false),
        Case("a - b - c", false),
        Case("- \n- \n- ", false),
    ])
    func bulletsCountsBulletLines(_ example: Case) {
        #expect(BulletScorer(count: 3).passes(example.reply) == example.passes)
    }

    @Test func regexMatchesAnywhereAndRefusesNonsense() throws {
        let scorer = try #require(RegexScorer(pattern: #"(?m)^\d{4}-\d\d$"#))
        #expect(scorer.passes("Month:\n2021-03\nend"))
        #expect(!scorer.passes("Month: 2021-03"))
        #expect(RegexScorer(pattern: "(") == nil)
        #expect(RegexScorer(pattern: "") == nil)
    }

    @Test func multipleChoiceTakesTheLikeliest() {
        let question = MultipleChoice(options: ["a", "b", "c"], answer: 1)
        #expect(question.choice([-2, -1, -3]) == 1)
        #expect(question.choice([-1, -1, -3]) == 0)
        #expect(question.choice([-1, .nan, -3]) == nil)
        #expect(question.choice([-1, -.infinity, -3]) == 0)
    }
}
