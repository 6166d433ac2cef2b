import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of `download-dataset` from files and from a server.
@Suite("download-dataset")
struct DatasetCommandTests {
    private let folder: Program.Folder

    init() throws {
        folder = try Program.Folder()
        try folder.write(
            """
            {"instruction":"Name a fruit","context":"","response":"Kiwi","category":"open_qa"}
            {"instruction":"Sum up","context":"A tale","response":"Short"}

            """, to: "served/dolly.jsonl")
        try folder.write(
            #"[{"instruction":"Add","input":"1 and 2","output":"3"}]"#, to: "served/alpaca.json")
    }

    @Test(
        "A local copy becomes ShareGPT lines that the log reader takes",
        arguments: [("dolly", "served/dolly.jsonl", 2), ("alpaca", "served/alpaca.json", 1)])
    func local(name: String, file: String, count: Int) throws {
        let outcome = try Program.run(
            "download-dataset", "--dataset", name, "--from", file, "--json", in: folder)
        #expect(outcome.status == 0)
        let result = try Program.json(outcome)
        #expect(result["records"] as? Int == count)
        #expect((result["out"] as? String)?.hasSuffix("data/\(name).jsonl") == true)
        #expect(folder.exists(file))
        let lines = try folder.jsonLines("data/\(name).jsonl")
        #expect(lines.count == count && lines.allSatisfy { $0["conversations"] != nil })
        let route = try Program.run("route", "--memory-file", "data/\(name).jsonl", in: folder)
        #expect(route.status == 0 && route.errors.contains("\(count) exchanges"))
    }

    @Test(
        "An address is downloaded, and no copy of the source stays",
        .enabled(if: LoopbackServer.isAvailable, "there is no python3"))
    func download() throws {
        let server = try LoopbackServer(folder: folder.url.appendingPathComponent("served"))
        let outcome = try Program.run(
            "download-dataset", "--dataset", "dolly", "--from", server.address + "/dolly.jsonl",
            "--out", "out/d.jsonl", in: folder)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("2 records"))
        #expect(try folder.names("out") == ["d.jsonl"])
        let missing = try Program.run(
            "download-dataset", "--dataset", "dolly", "--from", server.address + "/none", in: folder
        )
        #expect(missing.status == 1)
        #expect(missing.errors.contains("404"))
        #expect(!folder.exists("data/dolly.jsonl"))
    }

    @Test("A file of another kind names the record and writes nothing")
    func malformed() throws {
        let outcome = try Program.run(
            "download-dataset", "--dataset", "alpaca", "--from", "served/dolly.jsonl", in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("dolly.jsonl: record 1"))
        #expect(!folder.exists("data/alpaca.jsonl"))
    }

    @Test("An unknown data set is a usage error that lists the known ones")
    func unknown() throws {
        let outcome = try Program.run("download-dataset", "--dataset", "webtext", in: folder)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("dolly") && outcome.errors.contains("alpaca"))
    }
}

/// Python's HTTP server on the loopback interface, for one folder.
final class LoopbackServer {
    private static let python: String? = [
        "/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3",
    ].first { FileManager.default.isExecutableFile(atPath: $0) }
    static var isAvailable: Bool { python != nil }

    enum Failure: Error { case notStarted }

    let address: String
    private let process = Process()

    init(folder: URL) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: Self.python ?? "")
        process.arguments = [
            "-c",
            """
            import functools, http.server, sys
            handler = functools.partial(
                http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
            print(server.server_address[1], flush=True)
            server.serve_forever()
            """, folder.path,
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Failure.notStarted
        }
        address = "http://127.0.0.1:\(port)"
    }

    deinit { kill(process.processIdentifier, SIGKILL) }
}
