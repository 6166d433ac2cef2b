import Foundation
import Testing

import CircadiaFiles

@Suite struct JSONTests {
    private func parse(_ text: String) throws(FileError) -> JSONValue {
        let bytes = Array(text.utf8)
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(FileError) in try JSONValue(parsing: buffer, path: "x.json") }
        }
        return try result.get()
    }

    @Test func valuesKeepOrderAndKind() throws {
        let text =
            #"{"z":1,"a":[true,false,null,-0.5,1e3],"s":"q\"\\\n\u0001é😀","n":9007199254740993}"#
        let value = try parse(text)
        #expect(value.objectValue?.keys == ["z", "a", "s", "n"])
        #expect(value["z"] == .integer(1))
        #expect(value["a"]?.arrayValue?.last == .number(1000))
        #expect(value["s"]?.stringValue == "q\"\\\n\u{1}é😀")
        #expect(value["n"]?.intValue == 9_007_199_254_740_993)
        #expect(try parse(value.text()) == value)
        #expect(try parse(value.text(indent: 2)) == value)
    }

    @Test func escapesOfEveryKindAreRead() throws {
        #expect(try parse(#""\u00e9\ud83d\ude00\/\b\f\r\t""#) == .string("é😀/\u{8}\u{c}\r\t"))
    }

    @Test func codableGivesTheSameValue() throws {
        let value = try parse(#"{"a":[1,2.5,"x",null,true],"b":{"c":{}}}"#)
        let data = try JSONEncoder().encode(value)
        #expect(try JSONDecoder().decode(JSONValue.self, from: data) == value)
    }

    @Test(arguments: [
        ("", 0, "the text ends inside a value"),
        ("{", 1, "the text ends inside a value"),
        ("[1,]", 3, "“]” cannot stand here"),
        ("{\"a\" 1}", 5, "“1” cannot stand here"),
        ("{a:1}", 1, "“a” cannot stand here"),
        ("[1] x", 4, "there is text after the value"),
        ("\u{7f}", 0, "byte 0x7F cannot stand here"),
        ("tru", 3, "the text ends inside a value"),
        ("[01]", 3, "a malformed number"),
        ("[1.2.3]", 6, "a malformed number"),
        ("[1e999]", 6, "a malformed number"),
        (
            "\"a\nb\"", 2,
            "a string with a bad escape, a control character or bytes that are no UTF-8"
        ),
        (
            "\"\\ud800\"", 7,
            "a string with a bad escape, a control character or bytes that are no UTF-8"
        ),
        ("{\"k\":1,\"k\":2}", 7, "the key “k” comes twice"),
        (String(repeating: "[", count: 100), 64, "values are nested deeper than 64 levels"),
    ])
    func brokenTextsNameTheByte(text: String, offset: Int, problem: String) {
        #expect(throws: FileError.self) { try parse(text) }
        do throws(FileError) {
            _ = try parse(text)
        } catch {
            #expect("\(error)" == "x.json: not valid JSON at byte \(offset): \(problem).")
        }
    }
}
