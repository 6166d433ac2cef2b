import CircadiaApp
import CircadiaFiles
import CircadiaFormats
import CircadiaHub
import CircadiaLog
import CircadiaRetrieval
import CircadiaTraining
import Testing

import circadia

/// Tests of whole messages of the command line: a library's message, and the remedy with flags.
@Suite("Remedies")
struct RemediesTests {
    static let messages: [(any Error, String)] = [
        (
            LogError.logMissing(path: "l"),
            "l: there is no chat log here. Chat first (circadia chat), or name another log with "
                + "--memory-file."
        ),
        (
            LogError.logEmpty(path: "l", skippedLines: 0),
            "l: the chat log is empty. Chat first (circadia chat), or name another log with "
                + "--memory-file."
        ),
        (
            DownloadError.serverRefused(address: "a", status: 401),
            "a: the server answered with status 401. It needs a login; download the file "
                + "yourself and give it with --from."
        ),
        (
            DownloadError.serverRefused(address: "a", status: 404),
            "a: the server answered with status 404. Nothing is there; give another address or a "
                + "file with --from."
        ),
        (
            DownloadError.serverRefused(address: "a", status: 503),
            "a: the server answered with status 503. Try again later, or give a file with --from."
        ),
        (
            DownloadError.serverRefused(address: "a", status: 418),
            "a: the server answered with status 418. Give another address or a file with --from."
        ),
        (
            RetrievalError.storeFailed(path: "s", detail: "d"),
            "s: the retrieval store cannot be used: d. Check the folder's permissions, or name "
                + "another with --rag-dir."
        ),
        (
            RetrievalError.storeCorrupt(path: "s", detail: "d"),
            "s: the retrieval store is damaged: d. Move the folder away and run circadia rag ingest "
                + "--all: the chat log has every exchange."
        ),
        (
            RetrievalError.storeTooNew(path: "s"),
            "s: the retrieval store was written by a newer circadia. Update this one, or name "
                + "another folder with --rag-dir."
        ),
        (
            RetrievalError.embedderMismatch(path: "s", stored: "a", given: "b"),
            "s: the vectors were made by a, but the embedder is b. Clear the store (circadia rag "
                + "clear) and ingest again."
        ),
        (
            RetrievalError.chromaUnreachable(address: "c", detail: "d"),
            "c: no Chroma server answers here: d. Start it (chroma run --path DIR --port N) or "
                + "correct --rag-url, then run the command again; the chat log has every exchange."
        ),
        (
            RetrievalError.chromaRefused(address: "c", status: 404, kind: "k"),
            "c: the Chroma server refused with status 404 (k). Check tenant, database and "
                + "collection in --rag-url, and that the server is Chroma 0.6 or newer."
        ),
        (
            RetrievalError.chromaRefused(address: "c", status: 301, kind: nil),
            "c: the Chroma server refused with status 301. Name the address that it redirects to."
        ),
        (
            RetrievalError.chromaForeign(address: "c"),
            "c: this collection was not made by circadia, or by a newer one, and is left as it is. "
                + "Name another at the end of --rag-url: …/collections/NAME."
        ),
        (
            TrainingError.nothingToTrain(rows: 3),
            "none of the 3 rows has a token to train on: a row needs an assistant turn within the "
                + "maximum sequence length. Chat first, or raise --max-seq-len."
        ),
        (
            TrainingError.adapterMismatch(adapterLayers: 2, modelLayers: 3),
            "the adapter to continue from was made for a model of 2 blocks, but this one has 3. "
                + "Start anew with --reset-adapter, or use the model that the adapter was trained on."
        ),
        (
            TrainingError.diverged(step: 3, attempts: 4),
            "training diverged at step 3: loss or gradients were not finite 4 times, though the "
                + "learning rate was halved each time. The adapter holds the last good values. Lower "
                + "--learning-rate or --lora-scale."
        ),
        (
            TrainingError.memoryLimit(
                limit: 100_000_000, least: 432_100_000, model: 300_000_000, row: 812),
            "0.10 GB of memory is not enough: this training run needs at least 0.44 GB, 0.30 GB of "
                + "it for the model, the rest for adapter, optimiser and one row of 812 tokens at a "
                + "time. Raise --memory-limit to 0.44 GB, or lower --max-seq-len, --lora-layers or "
                + "--lora-r."
        ),
        (
            TrainingError.timeLimit(seconds: 5, step: 7),
            "no step fits into the remaining 5 s: one step takes about 7.0 s. Name a later time "
                + "with --finish-by, or lower --batch-size or --max-seq-len."
        ),
        (
            TrainingError.checkpoint(path: "p", problem: .unreadable("r.")),
            "p: the checkpoint cannot be read: r. Start anew without --resume."
        ),
        (
            TrainingError.checkpoint(path: "p", problem: .unknownFormat),
            "p: this is not a checkpoint of this version of circadia. Start anew without --resume."
        ),
        (
            TrainingError.checkpoint(path: "p", problem: .otherTraining),
            "p: the checkpoint belongs to another training run: rows, options or adapter differ. "
                + "Give the same options as before, or start anew without --resume."
        ),
        (
            FormatError.adapter(path: "a", problem: .notAnAdapter(found: "a model")),
            "a: not a usable adapter: the file holds a model, not a LoRA adapter; 'circadia model "
                + "import' takes models."
        ),
        (
            FormatError.adapter(path: "a", problem: .notExpressible(kind: "DoRA", format: "GGUF")),
            "a: not a usable adapter: GGUF adapters cannot hold DoRA; export --format fused writes a "
                + "whole model instead."
        ),
        (
            FormatError.store(.notFound(name: "m", canPull: true, choices: [])),
            "there is no model “m” here yet; download it with: circadia model pull m."
        ),
        (
            FormatError.store(.notFound(name: "m", canPull: false, choices: ["a", "b"])),
            "“m” is neither a model directory nor an installed model; “circadia model pull "
                + "NAME” downloads one of these: a, b."
        ),
        (
            FormatError.store(.notAModel(path: "m")),
            "m: this directory has no config.json, so it is not a model in MLX format; convert "
                + "a GGUF file with: circadia model import FILE.gguf --out DIR."
        ),
        (
            ForgetError.journalBroken(path: "j"),
            "j: this record of forgotten exchanges cannot be read. Move it away to continue "
                + "without it, and check the log with circadia memory search."
        ),
        (
            NightPlaceError.isFile(path: "f"),
            "f: this is a file, so it cannot be the adapter's folder; name another with "
                + "--adapter-dir"
        ),
        (
            NightPlaceError.isKeptVersion(path: "v/0001", version: "0001"),
            "v/0001: this is a kept version, which no night may change; put it in use with 'circadia "
                + "adapter use 0001', or name another folder with --adapter-dir"
        ),
        // An error without a remedy keeps its message.
        (FileError.missingFile(path: "f", purpose: "p"), "f: there is no such file (p)."),
    ]

    @Test("A message is what happened, then what to do", arguments: messages.indices)
    func message(index: Int) {
        let (error, text) = Self.messages[index]
        #expect(Remedies.message(of: error) == text)
        #expect(String(describing: Remedies.worded(error)) == text)
    }

    @Test(
        "What the libraries say themselves names no flag and no command",
        arguments: messages.indices)
    func descriptions(index: Int) {
        let text = String(describing: Self.messages[index].0)
        #expect(!text.contains("--") && !text.contains("circadia "), "\(text)")
    }
}
