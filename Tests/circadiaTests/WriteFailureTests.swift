import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of unwritable places and full disks: one clear message with the path, exit code 1, and
/// existing files unchanged byte for byte.
@Suite("Write failures", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct WriteFailureTests {
    private let folder: Program.Folder

    init() throws { folder = try Program.Folder() }

    /// A folder in which nobody, not even root, can create files; nil if there is none.
    private static let forbidden: String? = ["/proc", "/System"].first {
        FileManager.default.fileExists(atPath: $0)
    }

    /// Files may grow to this many blocks of 512 bytes (or 1024, by the shell), which makes writes
    /// fail as a full disk does.
    private static func limit(_ blocks: Int) -> String { "trap '' XFSZ; ulimit -f \(blocks)" }

    /// The bytes of a block of `ulimit -f`: 512 or 1024, by the shell.
    private func limitUnit() throws -> Int {
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        let file = folder.url.appendingPathComponent("unit")
        shell.arguments = [
            "-c", "\(Self.limit(1)); head -c 4096 /dev/zero 2>/dev/null > \"$0\"", file.path,
        ]
        shell.standardError = FileHandle.nullDevice
        try shell.run()
        shell.waitUntilExit()
        return folder.bytes("unit")?.count ?? 0
    }

    private func isOneMessage(_ outcome: Program.Outcome) -> Bool {
        outcome.errors.components(separatedBy: "Error: ").count == 2
    }

    @Test(
        "A log in a forbidden place refuses the chat at the start", .enabled(if: forbidden != nil))
    func forbiddenLog() throws {
        let path = "\(Self.forbidden ?? "")/circadia/log.jsonl"
        let outcome = try Program.run(
            "chat", "--memory-file", path, "--max-tokens", "2", in: folder, input: "hello\n")
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains("\(Self.forbidden ?? "")/circadia"))
        #expect(isOneMessage(outcome))
    }

    @Test(
        "An adapter in a forbidden place refuses the night before it trains",
        .enabled(if: forbidden != nil), arguments: ["circadia", "circadia/nightly"])
    func forbiddenAdapter(name: String) throws {
        try TinyModel.write(in: folder)
        try folder.writeLog()
        let path = "\(Self.forbidden ?? "")/\(name)"
        for command in ["sleep", "run-cycle"] {
            let outcome = try Program.run(
                command, "--model", TinyModel.path, "--memory-file", "log.jsonl", "--adapter-dir",
                path, in: folder)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains(Self.forbidden ?? "?"))
            #expect(!outcome.errors.contains("training on") && !outcome.errors.contains("before:"))
        }
    }

    @Test("A file in the place of the adapter's folder refuses the night and stays")
    func fileForAdapter() throws {
        try TinyModel.write(in: folder)
        try folder.writeLog()
        try folder.write("mine", to: "adapter")
        let outcome = try Program.run(
            "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--adapter-dir",
            "adapter", in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("adapter: this is a file"))
        #expect(!outcome.errors.contains("training on"))
        #expect(try folder.read("adapter") == "mine")
    }

    @Test(
        "A disk that fills while the adapter is written leaves the old one",
        arguments: [false, true])
    func fullDiskForAdapter(hasOld: Bool) throws {
        try TinyModel.write(in: folder)
        try folder.writeLog()
        let night = [
            "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--iters", "2",
            "--no-gate", "--rehearsal", "0",
        ]
        let files = ["adapter_config.json", "adapters.safetensors"]
        if hasOld { #expect(try Program.run(night, in: folder).status == 0) }
        let before = files.map { folder.bytes("adapters/nightly_update/" + $0) }
        let outcome = try Program.run(night, in: folder, prelude: Self.limit(64))
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("adapters"))
        #expect(
            outcome.errors.contains("cannot be written") || outcome.errors.contains("too large"))
        #expect(isOneMessage(outcome))
        #expect(files.map { folder.bytes("adapters/nightly_update/" + $0) } == before)
        // The night stays unfinished and can be resumed once there is room.
        #expect(
            try folder.names("adapters") == [".sleep.lock", ".training"]
                + (hasOld ? ["nightly_update"] : []) + ["nights"]
                + (hasOld ? ["nights.jsonl"] : []) + ["versions"])
        #expect(try folder.names("adapters/versions") == (hasOld ? ["0001"] : []))
        #expect(try Program.run(night + ["--resume"], in: folder).status == 0)
        #expect(try folder.names("adapters/nightly_update").contains(files[1]))
    }

    @Test(
        "A disk that fills while people talk keeps the log whole and the exit code 1",
        arguments: [0, 1, 100])
    func fullDiskForLog(room: Int) throws {
        let start = #"{"messages":[{"role":"user","content":""#
        let end = #""},{"role":"assistant","content":"Yes"}]}"# + "\n"
        let byteCount = try 64 * limitUnit() - room
        let filling = String(repeating: "a", count: byteCount - start.count - end.count)
        let log = start + filling + end
        try folder.write(log, to: "log.jsonl")
        let outcome = try Program.run(
            "chat", "--memory-file", "log.jsonl", "--max-tokens", "2", in: folder,
            input: "Hello\nHello\n", prelude: Self.limit(64))
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("log.jsonl: cannot be written"))
        #expect(outcome.errors.contains("not on the disk yet: 2 exchanges"))
        #expect(isOneMessage(outcome))
        #expect(try folder.read("log.jsonl") == log)
    }

    @Test(
        "A disk that fills while the store is filled keeps what was in it",
        .enabled(if: Program.hasEmbedder, "all-minilm-l6-v2 is not installed"))
    func fullDiskForStore() throws {
        let ingest = ["rag", "ingest", "--all", "--memory-file", "log.jsonl"]
        try folder.writeLog(sessions: 1)
        #expect(try Program.run(ingest, in: folder).status == 0)
        let before = try Program.run("rag", "list", "--json", in: folder).output
        let lines = (0..<60).map {
            #"{"id":"e\#($0)","messages":[{"role":"user","content":"Note \#($0) on bees"},"#
                + #"{"role":"assistant","content":"\#(String(repeating: "Bees \($0). ", count: 60))"}]}"#
        }
        try folder.write(lines.joined(separator: "\n") + "\n", to: "log.jsonl")
        let outcome = try Program.run(ingest, in: folder, prelude: Self.limit(64))
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("rag_memory"))
        #expect(isOneMessage(outcome))
        #expect(try Program.run("rag", "list", "--json", in: folder).output.hasPrefix(before))
        #expect(try Program.run(ingest, in: folder).status == 0)
        #expect(
            try Program.run("rag", "list", in: folder).output.split(separator: "\n").count == 62)
    }

    @Test(
        "A disk that fills during an import leaves no half model",
        .enabled(
            if: Program.importableGGUF != nil,
            "there is no GGUF file of smollm2-135m; make test-all brings it"))
    func fullDiskForImport() throws {
        let gguf = try #require(Program.importableGGUF)
        let outcome = try Program.run(
            "model", "import", gguf.path, "--out", "models/new", in: folder,
            prelude: Self.limit(20_000))
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("models/new"))
        #expect(isOneMessage(outcome))
        #expect(!folder.exists("models/new/config.json"))
        #expect(!(try folder.names("models").contains { $0.hasPrefix(".circadia-tmp") }))
    }
}
