#!/usr/bin/env python3
"""Compares the embedder with sentence-transformers (vectors) and with onnxruntime in f32 (speed).

    embeddings.py CIRCADIA MINILM MEMORIES.jsonl … [--texts 2000] [--timed 512] [--rounds 5]

CIRCADIA is the program, MINILM the folder of all-MiniLM-L6-v2; the texts are the first messages of the memories,
each once. Needs torch, sentence-transformers, onnxruntime and onnx; the model is exported from torch. Programs
take turns, in batches of 32; onnxruntime's time includes its tokenizer's, and texts are sorted by length first,
so that little is padded. Ends with an error where vectors differ too much: see LEAST.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy
import onnxruntime
import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoTokenizer

BATCH = 32
LEAST = {"exact": 0.9999, "fast": 0.999, "question": 0.999}


def messages(paths, count):
    """The first `count` messages of memories, each once."""
    texts = {}
    for path in paths:
        for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
            for message in json.loads(line)["messages"]:
                texts.setdefault(message["content"])
    return list(texts)[:count]


class Encoder(torch.nn.Module):
    """The model with inputs by position, as an export wants them."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids, mask, types):
        """Hidden states `[batch, tokens, hidden]`."""
        return self.model(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state


class Onnx:
    """The encoder under onnxruntime: mean pooling and L2 norm in numpy."""

    def __init__(self, folder, threads, work):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
        path = os.path.join(work, "model.onnx")
        example = self.tokenizer(["one text", "and another one"], padding=True, return_tensors="pt")
        names = ["input_ids", "attention_mask", "token_type_ids"]
        axes = {name: {0: "batch", 1: "tokens"} for name in names + ["last_hidden_state"]}
        torch.onnx.export(
            Encoder(model).eval(), tuple(example[name] for name in names), path, input_names=names,
            output_names=["last_hidden_state"], dynamic_axes=axes, opset_version=17, dynamo=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"])

    def embed(self, texts):
        """The vectors of texts, in batches of like lengths."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        vectors = [None] * len(texts)
        for start in range(0, len(order), BATCH):
            chosen = order[start:start + BATCH]
            batch = self.tokenizer([texts[index] for index in chosen], padding=True, truncation=True,
                                   max_length=256, return_tensors="np")
            hidden = self.session.run(None, dict(batch))[0]
            mask = batch["attention_mask"][:, :, None]
            sums = (hidden * mask).sum(1)
            for index, vector in zip(chosen, sums / numpy.linalg.norm(sums, axis=1, keepdims=True)):
                vectors[index] = vector
        return numpy.array(vectors)


def circadia(program, texts, threads, *more):
    """What `bench --embed` measures."""
    command = [program, "bench", "--embed", texts, "--threads", str(threads), "--reps", "1", "--json"]
    return json.loads(subprocess.check_output(command + list(more)))["embedding"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("memories", nargs="+")
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--timed", type=int, default=512, help="texts that speed is measured on")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    texts = messages(options.memories, options.texts)
    with tempfile.TemporaryDirectory() as work:
        file = os.path.join(work, "texts.json")
        pathlib.Path(file).write_text(json.dumps(texts), encoding="utf-8")
        circadia(options.program, file, options.threads, "--embed-vectors", work)
        found = {
            name: numpy.fromfile(os.path.join(work, name + ".f32"), "<f4").reshape(len(texts), -1)
            for name in LEAST}
        reference = SentenceTransformer(options.model, device="cpu").encode(
            texts, batch_size=BATCH, normalize_embeddings=True)
        onnx = Onnx(options.model, options.threads, work)
        found["onnxruntime"] = onnx.embed(texts)
        result = {"texts": len(texts), "timed": options.timed, "cosines": {}}
        for name, vectors in found.items():
            cosines = (vectors.astype("f8") * reference.astype("f8")).sum(1)
            cosines /= numpy.linalg.norm(vectors, axis=1) * numpy.linalg.norm(reference, axis=1)
            result["cosines"][name] = {"lowest": cosines.min(), "mean": cosines.mean()}
        timed = texts[:options.timed]
        pathlib.Path(file).write_text(json.dumps(timed), encoding="utf-8")
        runs = []
        for _ in range(options.rounds):
            start = time.perf_counter()
            onnx.embed(timed)
            peer = len(timed) / (time.perf_counter() - start)
            runs.append((peer, circadia(options.program, file, options.threads)))
        result["onnxruntime_texts_per_second"] = statistics.median(peer for peer, _ in runs)
        for name in ["exact", "fast"]:
            speeds = [run[name + "_texts_per_second"] for _, run in runs]
            ratios = [speed / peer for speed, (peer, _) in zip(speeds, runs)]
            result[name] = {"texts_per_second": statistics.median(speeds),
                            "ratio": statistics.median(ratios)}
        result["ingest_of_embedding_alone"] = statistics.median(
            run["ingest_seconds"] / run["ingest_embedding_seconds"] for _, run in runs)
        print(json.dumps(result, indent=1, default=float), flush=True)
        for name, least in LEAST.items():
            if result["cosines"][name]["lowest"] < least:
                raise SystemExit(f"{name}: a vector has a cosine below {least}")


main()
