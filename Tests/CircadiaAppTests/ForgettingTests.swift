import CircadiaAnalysis
import CircadiaTestSupport
import Foundation
import Testing

import CircadiaAdapters
import CircadiaAnalysis
import CircadiaApp
import CircadiaConversation
import CircadiaLog
import CircadiaRetrieval

@Suite("Forgetting")
struct ForgettingTests {
    private let folder: TemporaryFolder
    private let log: URL
    private let store: URL

    init() throws {
        folder = try TemporaryFolder()
        log = folder.file("data/log.jsonl")
        store = folder.file("rag")
        let chat = ChatLog(url: log)
        for number in 0..<6 {
            try chat.append(said(number))
        }
    }

    private func said(_ number: Int) -> Exchange {
        exchange(
            "e\(number)", "The xylophone\(number) of quark\(number % 2)", "Noted.", day: number)
    }

    private var forgetting: Forgetting {
        Forgetting(
            log: log, storeFolder: store, adapterRoot: folder.file("adapters"),
            embedder: WordEmbedder())
    }

    private func fillStore() throws {
        let store = try RetrievalStore(directory: store, embedder: WordEmbedder())
        defer { store.close() }
        try store.ingest(ChatLog.read(log).exchanges.cleaned, policy: .chat)
    }

    private func storedIDs() throws -> [String] {
        let store = try RetrievalStore(directory: store, embedder: nil)
        defer { store.close() }
        return try store.list().map(\.id).sorted()
    }

    private func adapter(_ name: String, _ manifest: TrainingManifest?) throws -> URL {
        let url = folder.file("adapters/\(name)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for file in ["adapters.safetensors", "adapter_config.json"] {
            try Data().write(to: url.appendingPathComponent(file))
        }
        if let manifest {
            try Data(manifest.bytes).write(
                to: url.appendingPathComponent(TrainingManifest.fileName))
        }
        return url
    }

    @Test("A plan changes nothing; forgetting and taking it back gives the same bytes")
    func thereAndBack() throws {
        try fillStore()
        let before = try Data(contentsOf: log)
        let plan = try forgetting.plan(ForgetSelection(query: "QUARK1"))
        #expect(plan.exchanges.map(\.id) == ["e1", "e3", "e5"])
        #expect(plan.lineCount == 3 && plan.storedCount == 3)
        #expect(try Data(contentsOf: log) == before)
        try forgetting.forget(plan, purging: false)
        #expect(try ChatLog.read(log).exchanges.map(\.id) == ["e0", "e2", "e4"])
        #expect(try storedIDs() == ["e0", "e2", "e4"])
        #expect(permissions(log) == 0o600)
        #expect(permissions(folder.file("data/log.jsonl.forgotten")) == 0o600)
        // An undo takes back one command at a time, the last one first.
        try forgetting.forget(try forgetting.plan(ForgetSelection(ids: ["e0"])), purging: false)
        #expect(try forgetting.undo() == 1)
        #expect(try forgetting.undo() == 3)
        #expect(try Data(contentsOf: log) == before)
        #expect(try storedIDs() == ["e0", "e1", "e2", "e3", "e4", "e5"])
        #expect(try forgetting.undo() == 0)
        #expect(folder.names.contains("data"))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("data").path)
        #expect(names.sorted() == [".log.jsonl.lock", "log.jsonl"])
    }

    @Test("Lines that were added meanwhile stay, and keep their place when others come back")
    func addedMeanwhile() throws {
        let plan = try forgetting.plan(ForgetSelection(ids: ["e1", "e4"]))
        try ChatLog(url: log).append(exchange("new", "Hello", "Hello", day: 9))
        try forgetting.forget(plan, purging: false)
        #expect(try ChatLog.read(log).exchanges.map(\.id) == ["e0", "e2", "e3", "e5", "new"])
        #expect(try forgetting.undo() == 2)
        #expect(
            try ChatLog.read(log).exchanges.map(\.id)
                == ["e0", "e1", "e2", "e3", "e4", "e5", "new"])
    }

    @Test("No word of it stays in the store's file, and none anywhere after a purge")
    func traces() throws {
        try fillStore()
        let plan = try forgetting.plan(ForgetSelection(ids: ["e3"]))
        try forgetting.forget(plan, purging: true)
        for file in FileManager.default.enumerator(at: folder.url, includingPropertiesForKeys: nil)?
            .compactMap({ $0 as? URL }) ?? []
        {
            guard let bytes = try? Data(contentsOf: file) else { continue }
            #expect(bytes.range(of: Data("xylophone3".utf8)) == nil, "\(file.lastPathComponent)")
        }
        #expect(try forgetting.undo() == 0)
    }

    @Test("Adapters trained on it become stale; the newest other one is where a night starts")
    func adapters() throws {
        let hashes = (0..<6).map { CleanExchange(cleaning: said($0)).hash }
        let model = "m"
        let all = try adapter("nightly_update", TrainingManifest(model: model, trained: hashes))
        let old = try adapter(
            "versions/1",
            TrainingManifest(
                model: model, trained: hashes.prefix(2), written: Date(timeIntervalSince1970: 1e9)))
        let newer = try adapter(
            "versions/2",
            TrainingManifest(
                model: model, trained: hashes.prefix(3), written: Date(timeIntervalSince1970: 1.1e9)
            ))
        let other = try adapter(
            "versions/3", TrainingManifest(model: "other", trained: []))
        let unknown = try adapter("foreign", nil)
        let root = TrainedAdapters(root: folder.file("adapters"))
        #expect(root.origin(for: all, model: model).isReplaced == false)

        try forgetting.forget(try forgetting.plan(ForgetSelection(ids: ["e4"])), purging: false)
        func isStale(_ url: URL) -> Bool? { TrainingManifest.read(adapter: url)?.isStale }
        #expect(isStale(all) == true && isStale(unknown) == true)
        #expect(isStale(old) == false && isStale(newer) == false && isStale(other) == false)
        #expect(root.origin(for: all, model: model).adapter?.lastPathComponent == "2")

        try forgetting.forget(try forgetting.plan(ForgetSelection(ids: ["e2"])), purging: false)
        #expect(root.origin(for: all, model: model).adapter?.lastPathComponent == "1")
        try forgetting.forget(try forgetting.plan(ForgetSelection(ids: ["e0"])), purging: false)
        let origin = root.origin(for: all, model: model)
        #expect(origin.adapter == nil && origin.isReplaced)
        for _ in 0..<3 { _ = try forgetting.undo() }
        #expect([all, old, newer, unknown].allSatisfy { isStale($0) == false })
    }

    @Test("Identical lines without ids are told apart, and an interrupted command takes one only")
    func identicalLines() throws {
        let line =
            #"{"messages":[{"role":"user","content":"same"},{"role":"assistant","content":"s"}]}"#
        let lines = Array(repeating: line, count: 4).joined(separator: "\n") + "\n"
        try Data(lines.utf8).write(to: log)
        let ids = try ChatLog.read(log).exchanges.map(\.id)
        try forgetting.forget(try forgetting.plan(ForgetSelection(ids: [ids[1]])), purging: false)
        #expect(try ChatLog.read(log).exchanges.count == 3)
        #expect(try forgetting.undo() == 1)
        #expect(try Data(contentsOf: log) == Data(lines.utf8))
    }

    @Test("Time narrows; nothing at all selects nothing")
    func selections() throws {
        let first = try #require(said(2).timestamp)
        let day = first..<first.addingTimeInterval(2 * 86_400)
        #expect(
            try forgetting.plan(ForgetSelection(time: day)).exchanges.map(\.id) == ["e2", "e3"])
        #expect(
            try forgetting.plan(ForgetSelection(query: "quark0", time: day)).exchanges.map(\.id)
                == ["e2"])
        #expect(try forgetting.plan(ForgetSelection()).exchanges.isEmpty)
        #expect(try forgetting.plan(ForgetSelection(query: "  !? ")).exchanges.isEmpty)
    }
}
