import CircadiaTestSupport
import Foundation
import Testing

import CircadiaEvaluation

@Suite struct PromptLoadingTests {
    static let good =
        #"{"id":"a","category":"math","prompt":"1+1?","scorer":{"type":"numeric","answer":2}}"#

    /// Loads `text` from a file that lives as long as the call.
    static func load(_ text: String) throws -> [HarnessPrompt] {
        try TemporaryFolder.with { folder in
            let url = folder.appending(path: "prompts.jsonl")
            try Data(text.utf8).write(to: url)
            do {
                return try HarnessPrompt.load(url)
            } catch EvaluationError.badPrompt(_, let line, let field, let reason) {
                throw EvaluationError.badPrompt(
                    path: "P", line: line, field: field, reason: reason)
            } catch EvaluationError.noPrompts {
                throw EvaluationError.noPrompts(path: "P")
            }
        }
    }

    @Test func readsEveryKind() throws {
        let prompts = try Self.load(
            Self.good + "\r\n\n"
                + #"{"id":"b","category":"context","messages":[{"role":"user","content":"hi"},"#
                + #"{"role":"assistant","content":"yo"},{"role":"user","content":"who?"}],"#
                + #""scorer":{"type":"contains_any","any":["x"],"none":["y"],"max_words":9},"#
                + #""max_tokens":7}"# + "\n"
                + #"{"id":"c","category":"format","prompt":"p","scorer":{"type":"multiple_choice","#
                + #""options":["x","y"],"answer":1}}"#)
        #expect(prompts.map(\.id) == ["a", "b", "c"])
        #expect(prompts[0].maxTokens == HarnessPrompt.defaultMaxTokens)
        #expect(prompts[0].judge == .numeric(NumericScorer(answer: 2)))
        #expect(prompts[1].messages.map(\.role) == [.user, .assistant, .user])
        #expect(prompts[1].maxTokens == 7)
        #expect(
            prompts[1].judge
                == .containsAny(ContainsAnyScorer(any: ["x"], none: ["y"], maxWords: 9)))
        #expect(
            prompts[2].judge == .multipleChoice(MultipleChoice(options: ["x", "y"], answer: 1)))
    }

    @Test(arguments: [
        ("{", "the line", "it is not valid JSON"),
        ("[1]", "the line", "expected an object"),
        (
            #"{"category":"math","prompt":"p","scorer":{"type":"numeric","answer":1}}"#, "id",
            "missing"
        ),
        (
            #"{"id":"x","category":"maths","prompt":"p","scorer":{}}"#, "category",
            "'maths' is none of math, reasoning, factual, format, summarization, style, context"
        ),
        (
            #"{"id":"x","category":"math","promt":"p","scorer":{}}"#, "promt",
            "unknown field; known: category, id, max_tokens, messages, prompt, scorer"
        ),
        (
            #"{"id":"x","category":"math","scorer":{"type":"numeric","answer":1}}"#, "prompt",
            "missing: expected 'prompt', or 'messages' as a list"
        ),
        (
            #"{"id":"x","category":"math","prompt":"p","scorer":{"type":"numeric","answer":true}}"#,
            "scorer.answer", "expected a number"
        ),
        (
            #"{"id":"x","category":"math","prompt":"p","scorer":{"type":"regex","pattern":"("}}"#,
            "scorer.pattern", "it is not a regular expression"
        ),
        (
            #"{"id":"x","category":"math","prompt":"p","scorer":{"type":"contains_any","any":[]}}"#,
            "scorer.any", "expected a list of texts, none of them empty"
        ),
        (
            #"{"id":"x","category":"math","prompt":"p","scorer":{"type":"multiple_choice","options":["a","b"],"answer":2}}"#,
            "scorer.answer", "expected an index, 0 to 1"
        ),
        (
            #"{"id":"x","category":"math","prompt":"p","scorer":{"type":"guess"}}"#, "scorer.type",
            "'guess' is none of contains_any, regex, numeric, json_keys, format_bullets, multiple_choice"
        ),
        (
            #"{"id":"x","category":"math","prompt":"p","max_tokens":0,"scorer":{"type":"json_keys","keys":["a"]}}"#,
            "max_tokens", "expected a whole number above 0"
        ),
        (
            #"{"id":"x","category":"math","messages":[{"role":"assistant","content":"a"}],"scorer":{"type":"json_keys","keys":["a"]}}"#,
            "messages", "the last message must be the user's"
        ),
        (good, "id", "'a' is taken by line 1"),
    ])
    func aBadLineIsNamed(line: String, field: String, reason: String) {
        #expect(
            throws: EvaluationError.badPrompt(path: "P", line: 3, field: field, reason: reason)
        ) {
            try Self.load(Self.good + "\n\n" + line)
        }
    }

    @Test func anEmptyOrMissingFileIsAnError() {
        #expect(throws: EvaluationError.noPrompts(path: "P")) { try Self.load("\n \n") }
        let url = URL(fileURLWithPath: "/nowhere/prompts.jsonl")
        #expect(
            throws: EvaluationError.promptsUnreadable(path: url.path, reason: "no such file")
        ) {
            try HarnessPrompt.load(url)
        }
    }

    @Test func messagesSayWhatToDo() {
        let bad = EvaluationError.badPrompt(
            path: "p.jsonl", line: 4, field: "scorer.type", reason: "missing")
        #expect(
            "\(bad)"
                == "p.jsonl, line 4, scorer.type: missing; the form of a prompt is in "
                + "data/eval/README.md")
        #expect(
            "\(EvaluationError.nothingToScore(exchanges: 3))"
                == "none of the 3 exchanges holds a reply of the assistant to be scored; give a "
                + "log with replies")
        #expect(
            "\(EvaluationError.resultNotWritten(path: "x.csv", reason: "No space left on device"))"
                == "x.csv: the results cannot be written: No space left on device; check the "
                + "folder, its rights and the disk's space")
    }
}
