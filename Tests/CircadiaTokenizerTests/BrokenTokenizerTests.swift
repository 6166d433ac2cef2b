import CircadiaTestSupport
import Testing

import CircadiaModel
import CircadiaTemplates
import CircadiaTokenizer

/// Small tokenizer.json files, whole and broken in one place each.
@Suite struct BrokenTokenizerTests {
    private static let whole = """
        {"added_tokens":[{"id":4,"content":"<x>","special":true}],"normalizer":null,
        "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"},
        "model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"\\u0120":3},"merges":["a b"]}}
        """

    private func load(_ text: String) throws -> BPETokenizer {
        let folder = try TemporaryFolder()
        try folder.write("tokenizer.json", text: text)
        return try BPETokenizer(directory: folder.url)
    }

    /// The message with the folder's path cut off.
    private func message(_ text: String) -> String {
        do {
            _ = try load(text)
            return "no error"
        } catch {
            let message = "\(error)"
            guard let name = message.firstRange(of: "tokenizer.json") else { return message }
            let before = message[..<name.lowerBound]
            let space = before.lastIndex(of: " ")
            let path = space.map { before.index(after: $0) } ?? before.startIndex
            return String(message[..<path]) + String(message[name.lowerBound...])
        }
    }

    @Test func theWholeOneWorks() throws {
        let tokenizer = try load(Self.whole)
        #expect(tokenizer.encode("ab<x>ba") == [2, 4, 1, 0])
        #expect(tokenizer.encode("<x>", special: .plain) == [])
        #expect(tokenizer.decode([2, 3, 4]) == "ab <x>")
        #expect(tokenizer.decode([2, 3, 4, 99, -1], skippingSpecial: true) == "ab ")
        #expect(tokenizer.vocabularySize == 5)
        #expect(tokenizer.id(of: "Ġ") == 3)
    }

    @Test func mergesMayBePairsAndComeFirst() throws {
        let pairs = Self.whole.replacing("[\"a b\"]", with: "[[\"a\", \"b\"]]")
        #expect(try load(pairs).encode("ab") == [2])
        let first = """
            {"model":{"merges":["a b"],"vocab":{"a":0,"b":1,"ab":2}},"decoder":{"type":"ByteLevel"},
            "pre_tokenizer":{"type":"ByteLevel"}}
            """
        #expect(try load(first).encode("ab") == [2])
    }

    @Test func flagsOfAddedTokens() throws {
        let stripping = Self.whole.replacing(
            "\"special\":true", with: "\"special\":false,\"lstrip\":true,\"rstrip\":true")
        #expect(try load(stripping).encode("a  <x> \n b", special: .plain) == [0, 4, 1])
        let word = Self.whole.replacing("\"special\":true", with: "\"single_word\":true")
        #expect(try load(word).encode("a<x>b <x> ") == [0, 1, 3, 4, 3])
    }

    /// A broken file and the message about it, less what every message of its kind ends with.
    struct Case: Sendable, CustomTestStringConvertible {
        var text: String
        var message: String

        init(_ text: String, _ message: String) {
            self.text = text
            self.message = message
        }

        /// The whole file with one part replaced.
        init(_ part: String, by other: String, _ message: String) {
            self.init(BrokenTokenizerTests.whole.replacing(part, with: other), message)
        }

        var testDescription: String { message }
    }

    private static let end = whole.utf8.count
    private static let byteLevel = #"{"type":"ByteLevel","add_prefix_space":false}"#
    private static let otherSplit =
        #"{"type":"Split","pattern":{"Regex":"a+"},"behavior":"Isolated"}"#

    static let malformed: [Case] = [
        Case("", "0: expected an object, found the end of the file"),
        Case("[]", #"0: expected an object, found "[]""#),
        Case(String(whole.dropLast()), "\(end - 1): expected \"}\", found the end of the file"),
        Case(whole + "x", "\(end): expected the end of the file, found \"x\""),
        Case(
            #"{"model":{"vocab":{"a":1.5}}}"#, #"23: expected a whole number, found "1.5}}}""#),
        Case(
            #"["a b"]"#, by: #"["ab"]"#,
            #"243: expected two tokens with a space between, found "\"ab\"]}}""#),
        Case(
            #"\u0120"#, by: #"\u01"#,
            #"222: expected \u and four hexadecimal digits, found "\\u01\":3},\"me""#),
    ]

    static let unusable: [Case] = [
        Case(
            #"{"model":{"vocab":{"a":-1}}}"#,
            #"tokenizer.json: token "a" has id -1, which is negative."#),
        Case(
            #"{"model":{"vocab":{"a":1,"b":1}}}"#,
            #"tokenizer.json: token "b" has id 1, which another token has already."#),
        Case(
            #"{"model":{"type":"Unigram"}}"#,
            "tokenizer.json: model.type is Unigram, which is not supported. Supported: BPE."),
        Case(
            #"{"model":{"vocab":{}}}"#,
            #"tokenizer.json has no "model.merges". Fetch the file again."#),
        Case("{}", #"tokenizer.json has no "model". Fetch the file again."#),
        Case(
            #"["a b"]"#, by: #"["a b","b a"]"#,
            "tokenizer.json: merge 1 at byte 249 needs the token \"ba\", which is not in the "
                + "vocabulary."),
        Case(
            #""normalizer":null"#, by: #""normalizer":{"type":"NFC"}"#,
            "tokenizer.json: normalizer is NFC, which is not supported. Supported: none."),
        Case(
            byteLevel, by: otherSplit,
            "tokenizer.json: pre_tokenizer is Split at a+, which is not supported. Supported: "
                + "ByteLevel, or Split at Llama 3's expression and then ByteLevel; either may "
                + "follow Digits."),
    ]

    @Test(arguments: malformed)
    func complaintsNameTheByte(_ broken: Case) {
        #expect(
            message(broken.text)
                == "tokenizer.json is broken at byte \(broken.message). Fetch the file again.")
    }

    @Test(arguments: unusable)
    func complaintsNameTheField(_ broken: Case) {
        #expect(message(broken.text) == broken.message)
    }

    @Test func aMissingFile() throws {
        let folder = try TemporaryFolder()
        let path = folder.url.appending(path: "tokenizer.json").path
        #expect(throws: TokenizerError.unreadable(path: path, reason: "there is no such file")) {
            try BPETokenizer(directory: folder.url)
        }
    }

    @Test func noPrefixOfTheFileCrashes() throws {
        for count in 0..<Self.whole.utf8.count {
            let prefix = String(decoding: Self.whole.utf8.prefix(count), as: UTF8.self)
            #expect(throws: TokenizerError.self) { try load(prefix) }
        }
    }

    @Test func unknownTemplates() throws {
        let tokenizer = try load(Self.whole)
        let folder = try TemporaryFolder()
        #expect(throws: TemplateError.missingTemplate(directory: folder.url.path)) {
            try ChatTemplate(directory: folder.url, tokenizer: tokenizer)
        }
        let text = "{% for m in messages %}[INST] {{ m.content }} [/INST]{% endfor %} and more"
        try folder.write("tokenizer_config.json", text: "{\"chat_template\":\"\(text)\"}")
        let path = folder.url.appending(path: "tokenizer_config.json").path
        let error = TemplateError.unknownTemplate(path: path, beginning: String(text.prefix(60)))
        #expect(throws: error) { try ChatTemplate(directory: folder.url, tokenizer: tokenizer) }
        #expect(
            "\(error)" == "The chat template in \(path) is not one of the known ones (ChatML, "
                + "Llama 3). It begins: \"{% for m in messages %}[INST] {{ m.content }} [/INST]{% endf\""
        )
        try folder.write(
            "chat_template.jinja",
            text: "<|im_start|>{{ message['role'] }} {{ message['content'] }}<|im_end|>"
                + "{% if add_generation_prompt %}")
        #expect(
            throws: TemplateError.missingControlToken(
                directory: folder.url.path, template: "ChatML", token: "<|im_start|>")
        ) { try ChatTemplate(directory: folder.url, tokenizer: tokenizer) }
    }
}
