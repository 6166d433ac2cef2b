import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFiles
import CircadiaConversation
import CircadiaHub
import CircadiaLog

@Suite("Datasets: download", .enabled(if: FileServer.isAvailable), .serialized)
struct DatasetDownloaderTests {
    private let folder: TemporaryFolder
    private let served: URL
    private let body: Data
    private var target: URL { folder.file("got/data.jsonl") }
    private var part: URL { folder.file("got/data.jsonl.part") }

    init() throws {
        folder = try TemporaryFolder()
        served = folder.file("served")
        try FileManager.default.createDirectory(at: served, withIntermediateDirectories: true)
        body = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
        try body.write(to: served.appendingPathComponent("data.jsonl"))
        try tag("\"one\"")
    }

    private func tag(_ text: String?) throws {
        let url = served.appendingPathComponent("data.jsonl.etag")
        if let text {
            try Data(text.utf8).write(to: url)
        } else {
            try FileManager.default.removeItem(at: url)
        }
    }

    private func download(_ server: FileServer, _ path: String = "/data.jsonl") throws
        -> DatasetDownloader.Report
    {
        try DatasetDownloader(timeoutSeconds: 20).download(server.address + path, to: target)
    }

    @Test("A file arrives whole, with size, checksum and progress")
    func whole() throws {
        let server = try FileServer(folder: served)
        let seen = Seen()
        let report = try DatasetDownloader().download(server.address + "/data.jsonl", to: target) {
            seen.add($0, $1)
            return true
        }
        #expect(try Data(contentsOf: target) == body)
        #expect(report.byteCount == 300_000 && report.resumedFrom == 0)
        #expect(
            try report.sha256
                == ContentDigest.hexadecimal(ofFile: served.appendingPathComponent("data.jsonl")))
        #expect(seen.last?.0 == 300_000 && seen.last?.1 == 300_000)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("got").path)
        #expect(names == ["data.jsonl"])
    }

    @Test("A broken-off download is an error that says how far it came")
    func truncated() throws {
        let server = try FileServer(folder: served, breakAfter: 100_000)
        let error = DownloadError.downloadTruncated(
            address: server.address + "/data.jsonl", expected: 300_000, received: 100_000,
            partial: part.path)
        #expect(throws: error) { try download(server) }
        #expect(
            error.description
                == "\(server.address)/data.jsonl: 100000 of 300000 bytes arrived. They are in "
                + "\(part.path); run the command again to go on from there.")
    }

    @Test("The next attempts bring only the rest")
    func resumes() throws {
        let server = try FileServer(folder: served, breakAfter: 100_000)
        #expect(throws: DownloadError.self) { try download(server) }
        #expect(throws: DownloadError.self) { try download(server) }
        #expect(try Data(contentsOf: part) == body.prefix(200_000))
        let report = try download(server)
        #expect(report.resumedFrom == 200_000 && report.byteCount == 300_000)
        #expect(try Data(contentsOf: target) == body)
    }

    @Test("A file that has changed meanwhile is brought anew")
    func changed() throws {
        let server = try FileServer(folder: served, breakAfter: 200_000)
        #expect(throws: DownloadError.self) { try download(server) }
        let other = Data(body.reversed().prefix(150_000))
        try other.write(to: served.appendingPathComponent("data.jsonl"))
        try tag("\"two\"")
        let report = try download(server)
        #expect(report.resumedFrom == 0 && report.byteCount == 150_000)
        #expect(try Data(contentsOf: target) == other)
    }

    @Test("Without ranges, or without proof that the file is the same, it starts again")
    func startsAgain() throws {
        let plain = try FileServer(folder: served, ranges: false, breakAfter: 250_000)
        #expect(throws: DownloadError.self) { try download(plain) }
        #expect(throws: DownloadError.self) { try download(plain) }
        #expect(try Data(contentsOf: part) == body.prefix(250_000))
        try tag(nil)
        let untagged = try FileServer(folder: served, breakAfter: 250_000)
        #expect(throws: DownloadError.self) { try download(untagged) }
        #expect(throws: DownloadError.self) { try download(untagged) }
        #expect(try Data(contentsOf: part) == body.prefix(250_000))
        #expect(try download(FileServer(folder: served)).resumedFrom == 0)
        #expect(try Data(contentsOf: target) == body)
    }

    @Test("Stopping keeps what has arrived")
    func stops() throws {
        let server = try FileServer(folder: served)
        let address = server.address + "/data.jsonl"
        #expect(
            throws: DownloadError.connectionFailed(
                address: address, detail: "it was stopped", partial: part.path)
        ) {
            try DatasetDownloader().download(address, to: target) { _, _ in false }
        }
        let kept = try Data(contentsOf: part)
        #expect(!kept.isEmpty && kept == body.prefix(kept.count))
        #expect(try download(server).byteCount == 300_000)
        #expect(try Data(contentsOf: target) == body)
    }

    @Test("A redirection is followed")
    func redirection() throws {
        let report = try download(FileServer(folder: served), "/moved/data.jsonl")
        #expect(report.byteCount == 300_000)
    }

    @Test("An error of the server is no file", arguments: [403, 404, 500])
    func statuses(status: Int) throws {
        let server = try FileServer(folder: served)
        let address = "\(server.address)/status/\(status)"
        #expect(throws: DownloadError.serverRefused(address: address, status: status)) {
            try download(server, "/status/\(status)")
        }
        #expect(!FileManager.default.fileExists(atPath: target.path))
        #expect(!FileManager.default.fileExists(atPath: part.path))
    }

    @Test("No server and no address are told apart")
    func unreachable() throws {
        let error = #expect(throws: DownloadError.self) {
            try DatasetDownloader().download("http://127.0.0.1:1/x", to: target)
        }
        guard case .connectionFailed(let address, _, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(address == "http://127.0.0.1:1/x")
        for address in ["", "data.jsonl", "ftp://example.org/x", "http://"] {
            #expect(throws: DownloadError.addressInvalid(address: address)) {
                try DatasetDownloader().download(address, to: target)
            }
        }
    }

    private final class Seen: @unchecked Sendable {
        private let lock = NSLock()
        private var values: [(Int64, Int64?)] = []
        func add(_ received: Int64, _ total: Int64?) {
            lock.withLock { values.append((received, total)) }
        }
        var last: (Int64, Int64?)? { lock.withLock { values.last } }
    }
}

@Suite("Datasets: conversion")
struct DatasetConversionTests {
    private func convert(_ dataset: Dataset, _ text: String) throws -> (
        Int, [Exchange], TemporaryFolder
    ) {
        let folder = try TemporaryFolder()
        try Data(text.utf8).write(to: folder.file("in"))
        let count = try dataset.convert(folder.file("in"), to: folder.file("out/set.jsonl"))
        let contents = try ChatLog.read(folder.file("out/set.jsonl"))
        #expect(contents.issues.isEmpty)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.file("out").path) == [
                "set.jsonl"
            ])
        return (count, contents.exchanges, folder)
    }

    @Test("Dolly's lines become ShareGPT lines, the context below the instruction")
    func dolly() throws {
        let (count, exchanges, folder) = try convert(
            .dolly,
            """
            {"instruction":"Name a fruit","context":"","response":"Kiwi","category":"open_qa"}

            {"instruction":"Sum up","context":"A long \\"tale\\"/story\\n","response":"Short é"}
            {"instruction":"No answer","context":"","response":" "}
            """)
        #expect(count == 2)
        #expect(
            exchanges.map { $0.messages.map(\.content) } == [
                ["Name a fruit", "Kiwi"], ["Sum up\n\nA long \"tale\"/story", "Short é"],
            ])
        #expect(exchanges[0].messages.map(\.role) == [.user, .assistant])
        let text = try String(contentsOf: folder.file("out/set.jsonl"), encoding: .utf8)
        #expect(
            text.hasPrefix(
                #"{"conversations":[{"from":"human","value":"Name a fruit"},"#
                    + #"{"from":"gpt","value":"Kiwi"}]}"# + "\n"))
    }

    @Test("Alpaca's list becomes ShareGPT lines")
    func alpaca() throws {
        let (count, exchanges, _) = try convert(
            .alpaca,
            """
            [{"instruction": "Add", "input": "1 and 2", "output": "3"},
             {"instruction": "Greet", "input": "", "output": "Hello"}]
            """)
        #expect(count == 2)
        #expect(exchanges.map { $0.messages[0].content } == ["Add\n\n1 and 2", "Greet"])
    }

    @Test(
        "What is not the dataset is named by record, and nothing is written",
        arguments: [
            (Dataset.dolly, "{\"instruction\":\"a\",\"response\":\"b\"}\nrubbish\n", 2),
            (Dataset.dolly, "<html>not found</html>", 1), (Dataset.dolly, "", 1),
            (Dataset.alpaca, "{\"instruction\":\"a\",\"output\":\"b\"}", 1),
            (Dataset.alpaca, "[{\"instruction\":\"a\",\"output\":\"b\"},{\"instruction\":1}]", 2),
            (Dataset.alpaca, "[{\"instruction\":\"a\"", 1), (Dataset.alpaca, "[]", 1),
        ])
    func malformed(dataset: Dataset, text: String, record: Int) throws {
        let folder = try TemporaryFolder()
        let source = folder.file("in")
        try Data(text.utf8).write(to: source)
        let error = #expect(throws: DownloadError.self) {
            try dataset.convert(source, to: folder.file("out/set.jsonl"))
        }
        guard case .datasetMalformed(let path, let found, let expected) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path == source.path && found == record)
        #expect(expected.contains(dataset == .dolly ? "JSON lines" : "a JSON list"))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.file("out").path).isEmpty)
    }
}
