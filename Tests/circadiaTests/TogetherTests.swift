import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of several processes at once with one log and one store.
@Suite("Programs at once", .enabled(if: Program.hasModel && Program.hasEmbedder))
struct TogetherTests {
    @Test("Two chats that write and a sleep that reads: nothing is lost, nothing is locked")
    func chatsAndSleep() throws {
        let folder = try Program.Folder()
        try TinyModel.write(in: folder)
        try folder.writeLog(to: "data/memories.jsonl")
        let words = ["granite", "marble", "basalt", "slate", "chalk", "flint", "quartz", "gneiss"]
        let chats = try (0..<2).map { chat in
            let said = (0..<16).map { "Chat \(chat) tells you of \(words[$0 % 8]) number \($0)." }
            return try RunningProgram(
                ["chat", "--model", TinyModel.path, "--rag", "--max-tokens", "6", "--no-adapter"],
                in: folder, input: said.joined(separator: "\n") + "\n")
        }
        let sleeps = try (0..<2).map { _ in
            let sleep = try RunningProgram(
                [
                    "sleep", "--model", TinyModel.path, "--iters", "2", "--batch-size", "2",
                    "--rehearsal", "0", "--no-gate", "--rag", "--json",
                ], in: folder, input: "")
            return try sleep.finish()
        }
        let outcomes = try chats.map { try $0.finish() } + sleeps
        for outcome in outcomes {
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(!outcome.errors.contains("locked") && !outcome.errors.contains("not in the"))
        }
        let log = try folder.jsonLines("data/memories.jsonl")
        #expect(log.count == 12 + 32)
        let logged = log.compactMap { $0["id"] as? String }
        #expect(Set(logged).count == logged.count)
        for chat in 0..<2 {
            let said = log.compactMap { ($0["messages"] as? [[String: String]])?.first?["content"] }
                .filter { $0.hasPrefix("Chat \(chat) ") }
            #expect(said.count == 16 && Set(said).count == 16)
        }
        // Nights add the exchanges that routing selects; chats add all of theirs.
        let stored = try Program.jsonLines(
            try Program.run("rag", "list", "--json", in: folder).output
        ).compactMap { $0["id"] as? String }
        #expect(Set(stored).count == stored.count)
        #expect(Set(stored).isSuperset(of: logged.filter { !$0.hasPrefix("s") || $0.count > 5 }))
    }
}
