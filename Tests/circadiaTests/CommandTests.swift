import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of what other programs rely on: the keys of `--json`, silence with `--quiet`, and help.
@Suite("Commands", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct CommandTests {
    private let folder: Program.Folder

    init() throws { folder = try Program.Folder() }

    private func keys(_ value: Any?) -> Set<String> {
        Set((value as? [String: Any] ?? [:]).keys)
    }

    @Test("generate --json")
    func generate() throws {
        let outcome = try Program.run(
            "generate", "--json", "--max-tokens", "3", "--temp", "0", in: folder, input: "Say hello"
        )
        #expect(outcome.status == 0)
        let result = try Program.json(outcome)
        #expect(
            keys(result) == [
                "text", "prompt_tokens", "generated_tokens", "drafted_tokens", "accepted_tokens",
                "prompt_tps", "generation_tps",
                "finish_reason",
            ])
        #expect(result["generated_tokens"] as? Int == 3)
        #expect(result["finish_reason"] as? String == "length")
        #expect(outcome.output.split(separator: "\n").count == 1)
        #expect(!folder.exists("data"))
    }

    @Test("The same answer, whatever the number of threads", arguments: ["0", "1", "8"])
    func threads(count: String) throws {
        let arguments = [
            "generate", "--max-tokens", "8", "--temp", "0", "--prompt", "Name a fruit",
        ]
        let outcome = try Program.run(arguments + ["--threads", count], in: folder)
        #expect(outcome.status == 0)
        #expect(outcome.output == (try Program.run(arguments, in: folder).output))
    }

    @Test("tokenize --json, and back")
    func tokenize() throws {
        let text = "Grüße, 世界! <|im_start|>user\n  x = 1\n"
        let outcome = try Program.run("tokenize", "--json", in: folder, input: text)
        #expect(keys(try Program.json(outcome)) == ["ids"])
        let ids = try #require(try Program.json(outcome)["ids"] as? [Int])
        let list = ids.map(String.init).joined(separator: " ")
        #expect(try Program.run("tokenize", "--decode", in: folder, input: list).output == text)
        let decoded = try Program.run("tokenize", "--decode", "--json", in: folder, input: list)
        #expect(try Program.json(decoded)["text"] as? String == text)
        try folder.write(text, to: "text.txt")
        let file = try Program.run("tokenize", "--json", "--file", "text.txt", in: folder)
        #expect(file.output == outcome.output)

        let plain = try Program.run("tokenize", "--json", "--no-special", in: folder, input: text)
        let plainIDs = try #require(try Program.json(plain)["ids"] as? [Int])
        #expect(plainIDs.count > ids.count)
        #expect(ids.contains(1) && !plainIDs.contains(1))
        let plainList = plainIDs.map(String.init).joined(separator: ",")
        #expect(
            try Program.run("tokenize", "--decode", in: folder, input: plainList).output == text)
    }

    @Test("tokenize --decode refuses what is not a token id", arguments: ["-1", "49152", "x"])
    func noTokenID(word: String) throws {
        let outcome = try Program.run("tokenize", "--decode", in: folder, input: word)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains(word))
    }

    @Test("eval-loss --json and --out-csv")
    func evalLoss() throws {
        try folder.writeLog(sessions: 2)
        let outcome = try Program.run(
            "eval-loss", "--json", "--memory-file", "log.jsonl", "--max-samples", "3", "--out-csv",
            "loss.csv", "--tag", "a, \"b\"", in: folder)
        #expect(outcome.status == 0)
        let report = try Program.json(outcome)
        #expect(keys(report) == ["loss", "tokens", "perplexity", "samples"])
        let samples = try #require(report["samples"] as? [[String: Any]])
        #expect(samples.compactMap { $0["id"] as? String } == ["s0-0", "s0-1", "s1-0"])
        #expect(samples.allSatisfy { keys($0) == ["id", "loss", "tokens"] })
        let tokens = samples.compactMap { $0["tokens"] as? Int }
        #expect(report["tokens"] as? Int == tokens.reduce(0, +))
        #expect(try folder.read("loss.csv").contains("\"a, \"\"b\"\"\",s0-0,"))
    }

    @Test("eval-loss --compare-exact")
    func evalLossComparison() throws {
        try folder.writeLog(sessions: 2)
        let words = ["eval-loss", "--compare-exact", "--memory-file", "log.jsonl", "--max-tokens"]
        let outcome = try Program.run(words + ["60", "--json"], in: folder)
        #expect(outcome.status == 0)
        let report = try Program.json(outcome)
        #expect(
            keys(report) == [
                "tokens", "mean_kl", "quantile999_kl", "maximum_kl", "exact_perplexity",
                "int8_perplexity", "perplexity_change", "same_top_share",
            ])
        // The first conversation has more than 60 tokens. Its first token has no prediction.
        #expect(report["tokens"] as? Int == 59)
        let mean = try #require(report["mean_kl"] as? Double)
        #expect(mean > 0 && mean < 0.1)
        let text = try Program.run(words + ["60"], in: folder)
        #expect(text.output.hasPrefix("8-bit against exact, 59 predictions\n"))
        #expect(try Program.run(words + ["1"], in: folder).status == 64)
    }

    @Test("eval-loss --general compares an adapter with the base model, by kind")
    func evalLossGeneral() throws {
        try TinyModel.write(in: folder)
        try folder.writeLog()
        try folder.write(
            #"{"id":"a","kind":"prose","text":"The rain had stopped."}"# + "\n"
                + #"{"id":"b","kind":"math","messages":[{"role":"user","content":"1 + 1?"},"#
                + #"{"role":"assistant","content":"It is 2."}]}"# + "\n", to: "texts.jsonl")
        let words = ["eval-loss", "--general", "--model", TinyModel.path, "--texts", "texts.jsonl"]
        let none = try Program.run(words, in: folder)
        #expect(none.status == 1)
        #expect(none.errors.contains("adapters/nightly_update: there is no adapter to compare"))
        let night = try Program.run(
            "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--no-gate",
            "--iters", "5", "--learning-rate", "0.01", "--rehearsal", "0", in: folder)
        #expect(night.status == 0)
        let outcome = try Program.run(words + ["--json"], in: folder)
        #expect(outcome.status == 0)
        let report = try Program.json(outcome)
        #expect(keys(report) == ["kinds", "divergence"])
        let kinds = try #require(report["kinds"] as? [[String: Any]])
        #expect(kinds.compactMap { $0["kind"] as? String } == ["math", "prose"])
        for kind in kinds {
            let change = try #require(kind["perplexity_change"] as? Double)
            let before = try #require(kind["loss_base"] as? Double)
            let after = try #require(kind["loss"] as? Double)
            #expect(change != 0)
            #expect(abs(exp(after - before) - 1 - change) < 1e-9)
        }
        let text = try Program.run(words, in: folder)
        #expect(text.output.hasPrefix("math        perplexity"))
        #expect(try Program.run("eval-loss", "--texts", "t", in: folder).status == 64)
        #expect(
            try Program.run("eval-loss", "--general", "--compare-exact", in: folder).status == 64)
    }

    @Test("eval-harness --json, --out-jsonl and --out-summary")
    func evalHarness() throws {
        let outcome = try Program.run(
            "eval-harness", "--json", "--max-prompts", "2", "--tag", "t", "--out-jsonl",
            "answers.jsonl", "--out-summary", "summary.json", in: folder)
        #expect(outcome.status == 0)
        let summary = try Program.json(outcome)
        #expect(
            keys(summary) == [
                "tag", "model", "adapter", "passed", "total", "rate", "ci95", "categories",
                "seconds", "code_version",
            ])
        #expect(summary["total"] as? Int == 2)
        #expect(try folder.jsonLines("answers.jsonl").count == 2)
        let file = try JSONSerialization.jsonObject(
            with: try #require(folder.bytes("summary.json")))
        #expect(NSDictionary(dictionary: summary) == file as? NSDictionary)
    }

    @Test("route --explain and --json")
    func route() throws {
        try folder.write(
            """
            {"id":"a","messages":[{"role":"user","content":"See https://example.org/a?b=1"},\
            {"role":"assistant","content":"Thanks"}]}
            {"id":"b","messages":[{"role":"user","content":"Be brief, please"},\
            {"role":"assistant","content":"Yes"}]}

            """, to: "log.jsonl")
        let outcome = try Program.run(
            "route", "--json", "--explain", "--memory-file", "log.jsonl", in: folder)
        #expect(outcome.status == 0)
        let rows = try Program.jsonLines(outcome.output)
        #expect(rows.map { $0["destination"] as? String } == ["weights+store", "weights"])
        #expect(rows.allSatisfy { keys($0) == ["id", "destination", "reasons", "trains"] })
        let text = try Program.run("route", "--explain", "--memory-file", "log.jsonl", in: folder)
        let reasons = try #require(rows[0]["reasons"] as? [String])
        #expect(!reasons.isEmpty && reasons.allSatisfy { text.output.contains($0) })
    }

    @Test("model list and show")
    func models() throws {
        let list = try Program.run("model", "list", "--json", in: folder)
        let rows = try #require(
            try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [[String: Any]])
        #expect(rows.contains { $0["name"] as? String == "smollm2-135m" })
        #expect(try Program.run("model", "list", in: folder).output.contains("smollm2-135m\t"))
        let shape = try Program.json(try Program.run("model", "show", "--json", in: folder))
        #expect(shape["layers"] as? Int == 30 && shape["kv_heads"] as? Int == 3)
        #expect(try Program.run("model", "show", in: folder).output.contains("blocks        30"))
        let unknown = try Program.run("model", "show", "no-such", in: folder)
        #expect(unknown.status == 1 && unknown.errors.contains("no-such"))
    }

    @Test("bench --json on random weights")
    func bench() throws {
        try TinyModel.write(in: folder)
        let outcome = try Program.run(
            "bench", "--json", "--random", "tiny/config.json", "--prefill", "16", "--decode", "4",
            "--train", "2x16", "--reps", "2", "--threads", "1", in: folder)
        #expect(outcome.status == 0)
        let result = try Program.json(outcome)
        let expected: Set<String> = [
            "isa", "threads", "prefill", "decode", "train", "peak_rss_bytes",
        ]
        #expect(keys(result).isSuperset(of: expected))
        #expect(result["threads"] as? Int == 1)
        // Multiply-adds by hand, two operations each. A block has 36,864 weights, 8,192 of them for
        // q, k and v; the head 3,145,728. Training runs 15 tokens of each row, forward and
        // backward.
        let prefill: Int = 2 * (2 * (36_864 * 16 + 64 * 16 * 17) + 3_145_728) / 16
        let products: Int = 4 * 36_864 - 8_192 + 2 * 3_145_728
        let train: Int = 2 * 30 * (products + 3 * 16_384 + 64 * 16 * 6) / 32
        let parts: [(name: String, tokens: Int, operations: Int?)] = [
            ("prefill", 16, prefill), ("decode", 4, nil), ("train", 32, train),
        ]
        for (name, tokens, operations) in parts {
            let series = try #require(result[name] as? [String: Any])
            let counted: Set<String> = operations == nil ? [] : ["kernel", "operations_per_token"]
            #expect(keys(series) == counted.union(["tokens", "tps", "median"]))
            #expect(series["operations_per_token"] as? Double == operations.map(Double.init))
            #expect(series["tokens"] as? Int == tokens)
            #expect((series["tps"] as? [Double])?.count == 2)
        }
        #expect((result["peak_rss_bytes"] as? Int).map { $0 > 1 << 20 } == true)
    }

    @Test("--quiet keeps standard error empty")
    func quiet() throws {
        try folder.writeLog()
        try TinyModel.write(in: folder)
        let runs = [
            ["generate", "--prompt", "Hi", "--max-tokens", "2"], ["tokenize"],
            ["eval-loss", "--memory-file", "log.jsonl", "--max-samples", "1"],
            ["chat", "--max-tokens", "2"], ["route", "--memory-file", "log.jsonl"],
            [
                "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--iters", "1",
                "--no-gate",
            ],
            ["model", "list"], ["doctor"],
        ]
        for arguments in runs {
            let outcome = try Program.run(arguments + ["--quiet"], in: folder, input: "Hello\n")
            #expect(outcome.status == 0, "\(arguments)")
            #expect(outcome.errors.isEmpty, "\(arguments): \(outcome.errors)")
        }
    }
}

/// Tests of help and usage errors, which need no model.
@Suite("Help")
struct HelpTests {
    private let folder: Program.Folder

    init() throws { folder = try Program.Folder() }

    @Test(
        "Every command explains itself",
        arguments: [
            "", "chat", "generate", "tokenize", "sleep", "run-cycle", "eval-loss", "eval-harness",
            "rag", "rag ingest", "rag search", "rag list", "rag clear", "route", "model",
            "model pull", "model import", "model list", "model show", "download-dataset", "bench",
            "doctor",
        ])
    func help(command: String) throws {
        let words = command.split(separator: " ").map(String.init)
        let outcome = try Program.run(words + ["--help"], in: folder)
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.output.contains("USAGE: \((["circadia"] + words).joined(separator: " "))"))
        #expect(outcome.output.contains("OVERVIEW: "))
    }

    @Test("doctor --json finds every active kernel right, and measures memory")
    func doctor() throws {
        let outcome = try Program.run("doctor", "--json", in: folder)
        #expect(outcome.status == 0)
        let finding = try Program.json(outcome)
        let bandwidth = finding["bandwidth"] as? [String: Double] ?? [:]
        #expect(Set(bandwidth.keys) == ["one_thread", "all_threads"])
        #expect(bandwidth.values.allSatisfy { $0 > 1e8 && $0.isFinite })
        let checks = try #require(finding["checks"] as? [[String: Any]])
        var checked: [String: String] = [:]
        for check in checks {
            #expect(
                Set(check.keys) == ["kernel", "variant", "ok", "difference", "tolerance"])
            #expect(check["ok"] as? Bool == true, "\(check)")
            checked[check["kernel"] as? String ?? ""] = check["variant"] as? String
        }
        #expect(checked == finding["kernels"] as? [String: String])
        #expect(checked.count > 20)
    }

    @Test("The version is one line")
    func version() throws {
        let outcome = try Program.run("--version", in: folder)
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix("0.") && outcome.output.split(separator: "\n").count == 1)
    }

    @Test("An unknown command or flag is a usage error", arguments: ["dream", "--dream"])
    func unknown(word: String) throws {
        #expect(try Program.run([word], in: folder).status == 64)
    }
}
