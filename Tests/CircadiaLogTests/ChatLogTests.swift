import CircadiaTestSupport
import Foundation
import Testing

import CircadiaConversation
import CircadiaFiles
import CircadiaLog

@Suite("Chat log: writing")
struct ChatLogTests {
    private func exchange(_ text: String, id: String = "e1") -> Exchange {
        Exchange(
            id: id, timestamp: Date(timeIntervalSince1970: 1_700_000_000.25), session: "s1",
            messages: [
                ChatMessage(role: .user, content: text),
                ChatMessage(role: .assistant, content: "Fine.\n\"Really\" \u{1F600}/\\"),
            ], model: "m", adapter: "a", tags: ["t"])
    }

    @Test("A line holds the documented keys, and reads back as it was")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let log = ChatLog(url: folder.file("data/memories.jsonl"))
        #expect(try log.append(exchange("Hello\nthere")) == .none)
        try log.append(exchange("again", id: "e2"))
        let text = try String(contentsOf: log.url, encoding: .utf8)
        #expect(
            text.hasPrefix(
                #"{"adapter":"a","id":"e1","messages":[{"content":"Hello\nthere","role":"user"}"#))
        #expect(text.contains(#""timestamp":"2023-11-14T22:13:20.250Z""#))
        #expect(text.split(separator: "\n").count == 2)
        let contents = try ChatLog.read(log.url)
        #expect(contents.exchanges == [exchange("Hello\nthere"), exchange("again", id: "e2")])
        #expect(contents.issues.isEmpty && contents.repair == .none)
    }

    @Test("File and folder are private")
    func modes() throws {
        let folder = try TemporaryFolder()
        let log = ChatLog(url: folder.file("a/b/memories.jsonl"))
        try log.append(exchange("Hello"))
        #expect(permissions(log.url) == 0o600)
        #expect(permissions(folder.file("a")) == 0o700)
        #expect(permissions(folder.file("a/b")) == 0o700)
    }

    @Test("An exchange encodes and decodes with any JSON coder")
    func codable() throws {
        let data = try JSONEncoder().encode([exchange("x")])
        #expect(try JSONDecoder().decode([Exchange].self, from: data) == [exchange("x")])
    }

    @Test("An exchange without messages is refused")
    func refusesEmpty() throws {
        let folder = try TemporaryFolder()
        let log = ChatLog(url: folder.file("memories.jsonl"))
        #expect(throws: LogError.exchangeEmpty(id: "e9")) {
            try log.append(Exchange(id: "e9", messages: []))
        }
        #expect(folder.names.isEmpty)
    }

    @Test("A torn last line is moved aside before the next line is written")
    func repairsTornLine() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("memories.jsonl")
        let whole = ChatLog.line(of: exchange("one"))
        let torn = Array(ChatLog.line(of: exchange("two", id: "e2")).prefix(40))
        try Data(whole + torn).write(to: url)
        guard case .movedAside(let aside) = try ChatLog(url: url).append(exchange("3", id: "e3"))
        else { Issue.record("not moved aside"); return }
        #expect(aside.lastPathComponent.hasPrefix("memories.jsonl.torn-"))
        #expect(try Data(contentsOf: aside) == Data(torn))
        #expect(permissions(aside) == 0o600)
        #expect(try ChatLog.read(url).exchanges.map(\.id) == ["e1", "e3"])
    }

    @Test("A last line that only lacks its line feed is completed")
    func completesLine() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("memories.jsonl")
        try Data(ChatLog.line(of: exchange("one")).dropLast()).write(to: url)
        #expect(try ChatLog(url: url).append(exchange("two", id: "e2")) == .completed)
        #expect(try ChatLog.read(url).exchanges.map(\.id) == ["e1", "e2"])
        #expect(folder.names == ["memories.jsonl"])
    }

    @Test("Cut at any byte, a log loses at most its last line, and keeps those bytes")
    func everyCut() throws {
        let folder = try TemporaryFolder()
        let first = ChatLog.line(of: exchange("one"))
        let both = first + ChatLog.line(of: exchange("two", id: "e2"))
        let borders = [0, first.count - 1, both.count - 1].flatMap { $0..<$0 + 3 }
        let cuts = Set(borders + Array(stride(from: 0, to: both.count, by: 11)))
        for length in cuts.sorted() where length <= both.count {
            let url = folder.file("\(length)/memories.jsonl")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(both.prefix(length)).write(to: url)
            let repair = try ChatLog(url: url).append(exchange("three", id: "e3"))
            let ids = try ChatLog.read(url).exchanges.map(\.id)
            let wholeLines = length >= both.count - 1 ? 2 : length >= first.count - 1 ? 1 : 0
            #expect(ids == ["e1", "e2"].prefix(wholeLines) + ["e3"], "cut at \(length)")
            if case .movedAside(let aside) = repair {
                let kept = try Data(contentsOf: aside)
                #expect(kept == Data(both.prefix(length).suffix(kept.count)))
                #expect(!kept.isEmpty)
            }
        }
    }

    @Test("Many threads write at once and no line is lost or mixed")
    func concurrentThreads() async throws {
        let folder = try TemporaryFolder()
        let url = folder.file("memories.jsonl")
        let (writers, lines) = (8, 25)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<writers {
                group.addTask {
                    let log = ChatLog(url: url)
                    for line in 0..<lines {
                        let size = (writer * 7919 + line * 104_729) % 20_000
                        try log.append(
                            Exchange(
                                id: "\(writer)-\(line)",
                                messages: [
                                    ChatMessage(
                                        role: .user, content: String(repeating: "x", count: size))
                                ]))
                    }
                }
            }
            try await group.waitForAll()
        }
        let contents = try ChatLog.read(url)
        #expect(contents.issues.isEmpty)
        let ids = contents.exchanges.map(\.id)
        #expect(ids.count == writers * lines && Set(ids).count == ids.count)
        for writer in 0..<writers {
            let own = ids.filter { $0.hasPrefix("\(writer)-") }
            #expect(own == (0..<lines).map { "\(writer)-\($0)" })
        }
    }

    @Test(
        "A full disk leaves the log as it was",
        .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func fullDisk() throws {
        let error = FileError.unwritable(path: "/dev/full", code: ENOSPC)
        #expect(throws: error) {
            try ChatLog(url: URL(fileURLWithPath: "/dev/full")).append(exchange("x"))
        }
        #expect(
            error.description
                == "/dev/full: cannot be written: No space left on device. Nothing was lost; free "
                + "some space and try again.")
    }

    @Test("A read-only folder and a file in the way are named", .enabled(if: getuid() != 0))
    func readOnlyFolder() throws {
        let folder = try TemporaryFolder()
        _ = chmod(folder.url.path, 0o500)
        let url = folder.file("memories.jsonl")
        #expect(throws: FileError.unwritable(path: url.path, code: EACCES)) {
            try ChatLog(url: url).append(exchange("x"))
        }
        let below = folder.file("data/memories.jsonl")
        #expect(
            throws: FileError.folderNotMade(path: folder.file("data").path, code: EACCES)
        ) { try ChatLog(url: below).append(exchange("x")) }
    }

    @Test("A file where a folder should be, and a folder where the log should be")
    func wrongKind() throws {
        let folder = try TemporaryFolder()
        try Data("x".utf8).write(to: folder.file("data"))
        #expect(
            throws: FileError.folderNotMade(path: folder.file("data").path, code: ENOTDIR)
        ) { try ChatLog(url: folder.file("data/memories.jsonl")).append(exchange("x")) }
        #expect(throws: FileError.unwritable(path: folder.url.path, code: EISDIR)) {
            try ChatLog(url: folder.url).append(exchange("x"))
        }
        #expect(throws: FileError.unreadable(path: folder.url.path, code: EISDIR)) {
            try ChatLog.read(folder.url)
        }
    }
}
