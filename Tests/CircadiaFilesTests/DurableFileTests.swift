import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFiles

@Suite struct DurableFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func bytes(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: folder.file(name)))
    }

    private func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: folder.file(name).path)[.posixPermissions]
            as? Int
    }

    @Test("A file is made for its owner, then replaced whole")
    func replacement() throws {
        let url = folder.file("a")
        try DurableFile.replace(url, with: [1, 2])
        #expect(try bytes("a") == [1, 2])
        #expect(try mode("a") == 0o600)
        try DurableFile.replace(url, with: "longer text", mode: 0o640)
        #expect(try DurableFile.read(url) == Array("longer text".utf8))
        #expect(try mode("a") == 0o640)
        #expect(folder.names == ["a"])
    }

    @Test("Without commit the old file stays and nothing is left beside it")
    func abandonedReplacement() throws {
        try DurableFile.replace(folder.file("a"), with: "old")
        do {
            let file = try FileReplacement(of: folder.file("a"))
            try Array("new".utf8).withUnsafeBytes { try file.write($0) }
            #expect(folder.names.count == 2)
        }
        #expect(folder.names == ["a"])
        #expect(try bytes("a") == Array("old".utf8))
    }

    @Test("A file is written in any order and has the size it was given")
    func positions() throws {
        let file = try FileReplacement(of: folder.file("a"))
        try [UInt8]([7, 8]).withUnsafeBytes { try file.write($0, at: 2) }
        try [UInt8]([1]).withUnsafeBytes { try file.write($0) }
        try file.resize(to: 6)
        try file.commit()
        #expect(try bytes("a") == [1, 0, 7, 8, 0, 0])
    }

    @Test("A link stays a link; what it points at is replaced")
    func links() throws {
        try DurableFile.replace(folder.file("real"), with: "old")
        try FileManager.default.createSymbolicLink(
            at: folder.file("link"), withDestinationURL: folder.file("real"))
        try DurableFile.replace(folder.file("link"), with: "new")
        #expect(try bytes("real") == Array("new".utf8))
        #expect(
            try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("link").path)
                == folder.file("real").path)
    }

    @Test("What cannot be written is named, with a remedy")
    func failures() throws {
        let url = folder.file("no/a")
        #expect(throws: FileError.unwritable(path: url.path, code: ENOENT)) {
            try DurableFile.replace(url, with: "x")
        }
        #expect(
            "\(FileError.unwritable(path: "no/a", code: ENOENT))"
                == "no/a: cannot be written: No such file or directory. Make its folder first, or "
                + "name another path.")
        try FileManager.default.createDirectory(
            at: folder.file("folder"), withIntermediateDirectories: false)
        #expect(throws: FileError.unwritable(path: folder.file("folder").path, code: EISDIR)) {
            try DurableFile.replace(folder.file("folder"), with: "x")
        }
        #expect(folder.names == ["folder"])
    }

    @Test("Reading and removing what is not there is no failure")
    func missing() throws {
        #expect(try DurableFile.read(folder.file("a")) == nil)
        try DurableFile.remove(folder.file("a"))
        try DurableFile.replace(folder.file("a"), with: "x")
        try DurableFile.move(folder.file("a"), to: folder.file("b"))
        #expect(folder.names == ["b"])
        try DurableFile.remove(folder.file("b"))
        #expect(folder.names.isEmpty)
    }

    @Test("Folders are made for their owner; a file in the way is named")
    func folders() throws {
        try Folder.create(folder.file("x/y"))
        #expect(try mode("x") == 0o700)
        #expect(try mode("x/y") == 0o700)
        try DurableFile.replace(folder.file("file"), with: "")
        #expect(throws: FileError.folderNotMade(path: folder.file("file").path, code: ENOTDIR)) {
            try Folder.create(folder.file("file/z"))
        }
    }
}

@Suite struct StrayTests {
    private static let target = "log.jsonl"

    @Test(
        "Only what a process left that certainly no longer runs is a stray",
        arguments: [
            (".circadia-tmp-log.jsonl-4242-x1", ESRCH, true),
            // The process runs and is another user's.
            (".circadia-tmp-log.jsonl-4242-x1", EPERM, false),
            (".circadia-tmp-log.jsonl-4242-x1", 0, false),
            // Version 0.1.0 wrote logs under this name.
            (".circadia-new-log.jsonl-4242", ESRCH, true),
            (".circadia-new-log.jsonl-4242", EPERM, false),
            (".circadia-tmp-log.jsonl-b-4242-x1", ESRCH, false),
            (".circadia-tmp-other-4242-x1", ESRCH, false),
            (".circadia-tmp-log.jsonl-0-x1", ESRCH, false),
            (".circadia-tmp-log.jsonl--1-x1", ESRCH, false),
            (".circadia-tmp-log.jsonl-word-x1", ESRCH, false),
            ("log.jsonl", ESRCH, false),
        ])
    func decision(name: String, answer: Int32, isStray: Bool) {
        #expect(TemporaryItems.isStray(name, of: Self.target) { _ in answer } == isStray)
    }

    @Test("What this process writes is no stray, whatever the system says")
    func ownProcess() {
        let name = ".circadia-tmp-log.jsonl-\(getpid())-x1"
        #expect(!TemporaryItems.isStray(name, of: Self.target) { _ in ESRCH })
    }

    @Test("Strays of dead processes go with the next replacement, under both names")
    func removal() throws {
        let folder = try TemporaryFolder()
        let dead = [".circadia-tmp-a-2147480000-x", ".circadia-new-a-2147480000"]
        // Process 1 always runs; it is another user's except where the tests run as root.
        let alive = [".circadia-tmp-a-1-x", ".circadia-new-a-1", ".circadia-tmp-a-\(getpid())-x"]
        for name in dead + alive { try folder.write(name, text: "") }
        try DurableFile.replace(folder.file("a"), with: "x")
        #expect(Set(folder.names) == Set(alive + ["a"]))
    }
}
