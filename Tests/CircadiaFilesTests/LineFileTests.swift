import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFiles

@Suite struct LineFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: folder.file(name)), as: UTF8.self)
    }

    @Test("Lines are added; the file and its folder are made for their owner")
    func appending() throws {
        let file = LineFile(folder.file("logs/a.jsonl"))
        #expect(try file.append(Array("one\n".utf8)) == .none)
        #expect(try file.append(Array("two\n".utf8)) == .none)
        #expect(try text("logs/a.jsonl") == "one\ntwo\n")
        for (path, mode) in [("logs", 0o700), ("logs/a.jsonl", 0o600)] {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: folder.file(path).path)
            #expect(attributes[.posixPermissions] as? Int == mode)
        }
    }

    @Test("A header goes before the first line only")
    func headers() throws {
        let file = LineFile(folder.file("a.csv"))
        for row in ["1\n", "2\n"] {
            try file.append(Array(row.utf8), header: Array("n\n".utf8))
        }
        #expect(try text("a.csv") == "n\n1\n2\n")
    }

    @Test("A torn last line is ended, or kept in a file of its own")
    func tornLines() throws {
        try folder.write("a", text: "one\ntw")
        let file = LineFile(folder.file("a"))
        #expect(try file.append(Array("three\n".utf8)) == .completed)
        #expect(try text("a") == "one\ntw\nthree\n")
        try folder.write("a", text: "one\n{\"half")
        let aside = folder.file("a.torn")
        let repair = try file.append(Array("two\n".utf8)) { bytes in
            #expect(bytes == Array("{\"half".utf8))
            return .moveAside(to: aside)
        }
        #expect(repair == .movedAside(to: aside))
        #expect(try text("a") == "one\ntwo\n")
        #expect(try text("a.torn") == "{\"half")
        try folder.write("a", text: "x")
        #expect(try file.repair { _ in .complete } == .completed)
        #expect(try text("a") == "x\n")
    }

    @Test("A torn line longer than one read is found from its start")
    func longTornLine() throws {
        let long = String(repeating: "x", count: 200_000)
        try folder.write("a", text: "one\n" + long)
        let repair = try LineFile(folder.file("a")).repair { bytes in
            #expect(bytes.count == long.utf8.count)
            return .moveAside(to: folder.file("b"))
        }
        #expect(repair == .movedAside(to: folder.file("b")))
        #expect(try text("a") == "one\n")
        #expect(try text("b") == long)
    }

    @Test("Two writers never mix their lines")
    func twoWriters() async throws {
        let url = folder.file("a")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in ["a", "b"] {
                group.addTask {
                    let line = String(repeating: writer, count: 5000) + "\n"
                    for _ in 0..<50 { try LineFile(url).append(Array(line.utf8)) }
                }
            }
            try await group.waitForAll()
        }
        let lines = try text("a").split(separator: "\n")
        #expect(lines.count == 100)
        #expect(lines.allSatisfy { $0.count == 5000 && Set($0).count == 1 })
    }

    @Test("A disk that is full leaves no half line")
    func fullDisk() throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        let file = try OpenFile(
            URL(fileURLWithPath: "/dev/full"), flags: O_WRONLY, failure: .write)
        #expect(throws: FileError.unwritable(path: "/dev/full", code: ENOSPC)) {
            try file.appendWhole([1, 2, 3])
        }
    }
}

@Suite struct FileLockTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("A lock is held until it is released, by another or the same program")
    func exclusive() throws {
        let url = folder.file("a.lock")
        var lock: FileLock? = try FileLock(url)
        #expect(try FileLock(ifFree: url) == nil)
        lock?.unlock()
        #expect(try FileLock(ifFree: url) != nil)
        lock = try FileLock(url)
        #expect(try FileLock(ifFree: url) == nil)
        lock = nil
        #expect(try FileLock(ifFree: url) != nil)
        #expect(lock == nil)
    }

    @Test("Shared locks go together; an exclusive one waits for all")
    func shared() throws {
        let url = folder.file("a.lock")
        let locks = try [FileLock(url, kind: .shared), FileLock(url, kind: .shared)]
        #expect(try FileLock(ifFree: url) == nil)
        #expect(try FileLock(ifFree: url, kind: .shared) != nil)
        for lock in locks { lock.unlock() }
        #expect(try FileLock(ifFree: url) != nil)
    }

    @Test("A folder can be locked; what cannot be opened is named")
    func folders() throws {
        let lock = try FileLock(folder.url)
        #expect(try FileLock(ifFree: folder.url) == nil)
        lock.unlock()
        #expect(folder.names.isEmpty)
        let missing = folder.file("no/a.lock")
        #expect(throws: FileError.unwritable(path: missing.path, code: ENOENT)) {
            try FileLock(missing)
        }
    }
}

@Suite struct DirectorySwapTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func fill(_ text: String, _ name: String = "a") -> (URL) throws -> Void {
        { try Data(text.utf8).write(to: $0.appendingPathComponent(name)) }
    }

    @Test("A folder takes the place of another; files that it lacks are taken over")
    func exchange() throws {
        let url = folder.file("adapter")
        try DirectorySwap.replace(url, fill: fill("1"))
        try DirectorySwap.replace(url, fill: fill("kept", "notes"))
        #expect(try folder.files("adapter") == ["a": "1", "notes": "kept"])
        try DirectorySwap.replace(url, isObsolete: { $0 == "notes" }, fill: fill("2"))
        #expect(try folder.files("adapter") == ["a": "2"])
        #expect(folder.names == ["adapter"])
    }

    @Test("What fails leaves the old folder as it was, and nothing beside it")
    func failure() throws {
        struct Stop: Error {}
        let url = folder.file("adapter")
        try DirectorySwap.replace(url, fill: fill("1"))
        #expect(throws: Stop.self) { try DirectorySwap.replace(url) { _ in throw Stop() } }
        #expect(try folder.files("adapter") == ["a": "1"])
        #expect(folder.names == ["adapter"])
        try FileManager.default.createDirectory(
            at: url.appendingPathComponent("theirs"), withIntermediateDirectories: false)
        #expect(throws: FileError.foreignFolder(path: url.path, name: "theirs")) {
            try DirectorySwap.replace(url, fill: fill("2"))
        }
    }

    @Test("A folder that a killed process had moved aside comes back")
    func recovery() throws {
        try FileManager.default.createDirectory(
            at: folder.file(".circadia-old-adapter"), withIntermediateDirectories: false)
        DirectorySwap.recover(folder.file("adapter"))
        #expect(folder.names == ["adapter"])
    }
}

extension TemporaryFolder {
    /// The files of a folder in it with their texts.
    fileprivate func files(_ name: String) throws -> [String: String] {
        let url = file(name)
        var files: [String: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: url.path) {
            let data = try Data(contentsOf: url.appendingPathComponent(name))
            files[name] = String(decoding: data, as: UTF8.self)
        }
        return files
    }
}
