import CircadiaTestSupport
import Foundation
import Testing

import CircadiaConversation
import CircadiaFiles
import CircadiaLog

@Suite("Chat log: reading")
struct ChatLogReadingTests {
    private func read(_ text: String) throws -> ChatLogContents { try read(Data(text.utf8)) }

    private func read(_ data: Data) throws -> ChatLogContents {
        let folder = try TemporaryFolder()
        try data.write(to: folder.file("log.jsonl"))
        return try ChatLog.read(folder.file("log.jsonl"), repairing: false)
    }

    @Test("The original's lines and ShareGPT lines load beside our own")
    func forms() throws {
        let contents = try read(
            """
            {"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}
            {"conversations":[{"from":"system","value":"s"},{"from":"human","value":"c"},\
            {"from":"gpt","value":"d"}]}
            {"id":"x","timestamp":"2026-03-02T09:15:30+01:00","session":7,\
            "messages":[{"role":"user","content":"e"}],"tags":["no-train",3],"later":{}}

            """)
        #expect(contents.issues.isEmpty)
        #expect(
            contents.exchanges.map { $0.messages.map(\.content) } == [
                ["a", "b"], ["s", "c", "d"], ["e"],
            ])
        #expect(contents.exchanges[1].messages.map(\.role) == [.system, .user, .assistant])
        let own = contents.exchanges[2]
        #expect(own.id == "x" && own.session == "7" && own.tags == ["no-train"])
        #expect(own.timestamp == Timestamp.date("2026-03-02T08:15:30Z"))
    }

    @Test("Missing ids are made of contents and line, and stay the same")
    func stableIDs() throws {
        let line = #"{"messages":[{"role":"user","content":"a"}]}"# + "\n"
        let first = try read(line + line)
        let second = try read(line + line)
        #expect(first.exchanges.map(\.id) == second.exchanges.map(\.id))
        #expect(Set(first.exchanges.map(\.id)).count == 2)
        #expect(Set(first.exchanges.map(\.contentHash)).count == 1)
        #expect(first.exchanges[0].id.hasSuffix("-1") && first.exchanges[1].id.hasSuffix("-2"))
    }

    @Test("Broken lines are skipped and named by number, never quoted")
    func garbage() throws {
        let good = #"{"messages":[{"role":"user","content":"fine"}]}"#
        var data = Data("not json SECRET\n\n   \r\n[1,2]\n\"SECRET\"\n{}\n".utf8)
        data += Data(#"{"messages":[]}"#.utf8) + Data("\n".utf8)
        data += Data(#"{"messages":[{"role":"user","content":"a"},{"role":"user"}]}"#.utf8)
        data += Data("\n".utf8) + Data(#"{"messages":[{"role":"SECRET","content":"a"}]}"#.utf8)
        data += Data("\n".utf8) + Data([0xFF, 0xFE, 0x0A, 0, 0, 0, 0x0A])
        data += Data((good + "\r\n").utf8)
        data += Data(#"{"timestamp":"yesterday","messages":[{"role":"user","content":"x"}]}"#.utf8)
        data += Data("\n{\"messages\":[{\"role\":\"user\",\"content\":\"SECR".utf8)
        let contents = try read(data)
        #expect(contents.exchanges.map { $0.messages[0].content } == ["fine", "x"])
        #expect(
            contents.issues == [
                LineIssue(line: 1, reason: .notJSON), LineIssue(line: 4, reason: .notObject),
                LineIssue(line: 5, reason: .notObject), LineIssue(line: 6, reason: .noMessages),
                LineIssue(line: 7, reason: .noMessages),
                LineIssue(line: 8, reason: .messageBroken(number: 2)),
                LineIssue(line: 9, reason: .roleUnknown(number: 1)),
                LineIssue(line: 10, reason: .notUTF8), LineIssue(line: 11, reason: .notJSON),
                LineIssue(line: 13, reason: .timestampBroken), LineIssue(line: 14, reason: .torn),
            ])
        #expect(contents.skippedLineCount == 10)
        for issue in contents.issues { #expect(!issue.description.contains("SECR")) }
        #expect(contents.issues[0].description == "line 1: not JSON; skipped")
        #expect(
            contents.issues[9].description
                == "line 13: its time is not RFC 3339; read without a time")
    }

    @Test("Reading repairs a torn end where it may, and reports it where not")
    func repairs() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("log.jsonl")
        let good = #"{"messages":[{"role":"user","content":"fine"}]}"#
        try Data((good + "\n{\"mess").utf8).write(to: url)
        let unrepaired = try ChatLog.read(url, repairing: false)
        #expect(unrepaired.issues == [LineIssue(line: 2, reason: .torn)])
        let repaired = try ChatLog.read(url)
        #expect(repaired.issues.isEmpty && repaired.exchanges.count == 1)
        guard case .movedAside(let aside) = repaired.repair else {
            Issue.record("not repaired")
            return
        }
        #expect(try String(contentsOf: aside, encoding: .utf8) == "{\"mess")
        #expect(try ChatLog.read(url).repair == .none)
    }

    @Test("A byte order mark and lines longer than a read are no obstacle")
    func longLines() throws {
        let long = String(repeating: "word ", count: 700_000)
        let line = "{\"messages\":[{\"role\":\"user\",\"content\":\"\(long)\"}]}\n"
        let contents = try read("\u{FEFF}" + line + line)
        let lengths = contents.exchanges.map { $0.messages[0].content.utf8.count }
        #expect(lengths == [3_500_000, 3_500_000])
        #expect(contents.issues.isEmpty)
    }

    @Test("A missing and an empty log are errors that say what to do")
    func missingAndEmpty() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("log.jsonl")
        #expect(throws: LogError.logMissing(path: url.path)) { try ChatLog.read(url) }
        #expect(throws: LogError.logMissing(path: url.path)) { try ChatLog(url: url).repair() }
        try Data().write(to: url)
        #expect(throws: LogError.logEmpty(path: url.path, skippedLines: 0)) {
            try ChatLog.read(url).requireExchanges()
        }
        try Data("a\nb\n".utf8).write(to: url)
        let error = LogError.logEmpty(path: url.path, skippedLines: 2)
        #expect(throws: error) { try ChatLog.read(url).requireExchanges() }
        #expect(
            error.description
                == "\(url.path): no line of this chat log can be read (2 skipped). Expected one "
                + "JSON object a line with “messages” or “conversations”.")
    }

    @Test("A log without the right to read it is named", .enabled(if: getuid() != 0))
    func unreadable() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("log.jsonl")
        try Data("{}\n".utf8).write(to: url)
        _ = chmod(url.path, 0)
        #expect(throws: FileError.unreadable(path: url.path, code: EACCES)) {
            try ChatLog.read(url)
        }
    }
}

@Suite("Times and hashes")
struct TimestampTests {
    @Test(
        "RFC 3339 times are read",
        arguments: [
            ("1970-01-01T00:00:00Z", 0.0), ("2023-05-08T13:56:00Z", 1_683_554_160),
            ("2023-05-08 13:56:00", 1_683_554_160), ("2023-05-08T13:56Z", 1_683_554_160),
            ("2023-05-08T15:56:00+02:00", 1_683_554_160),
            ("2023-05-08T08:26:00.5-05:30", 1_683_554_160.5),
            ("2024-02-29T23:59:59.999Z", 1_709_251_199.999), ("1969-12-31T23:59:59Z", -1),
            ("2023-05-08", 1_683_504_000),
        ])
    func reads(text: String, seconds: Double) {
        #expect(Timestamp.date(text)?.timeIntervalSince1970 == seconds)
    }

    @Test(
        "What is no time is nil",
        arguments: [
            "", "yesterday", "2023-13-01", "2023-02-29T00:00:00Z", "2023-05-08T25:00:00Z",
            "2023-05-08T13:56:00X", "2023-05-08T13:56:00Zx", "2023-5-8", "2023-05-08T13",
            "2023-05-08T13:56:00.Z", "2023-05-08T13:56:00+1",
        ])
    func refuses(text: String) { #expect(Timestamp.date(text) == nil) }

    @Test("Times survive writing and reading, four centuries around")
    func roundTrip() {
        for step in -3000..<3000 {
            let date = Date(timeIntervalSince1970: Double(step) * 2_099_999.625)
            let text = Timestamp.string(date)
            #expect(Timestamp.date(text) == Timestamp.wholeMilliseconds(date), "\(text)")
        }
    }

    @Test(
        "SHA-256 gives the digests of FIPS 180-4's examples",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                String(repeating: "a", count: 1_000_000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
            ),
        ])
    func sha256(text: String, digest: String) throws {
        for pieceLength in [1, 63, 64, 65, 1000, 1_000_001] where text.count / pieceLength < 20_000
        {
            var hash = ContentDigest()
            var rest = text[...]
            while !rest.isEmpty {
                hash.update(utf8: String(rest.prefix(pieceLength)))
                rest = rest.dropFirst(pieceLength)
            }
            #expect(hash.hexadecimal == digest, "pieces of \(pieceLength)")
        }
        let folder = try TemporaryFolder()
        try Data(text.utf8).write(to: folder.file("x"))
        #expect(try ContentDigest.hexadecimal(ofFile: folder.file("x")) == digest)
    }
}
