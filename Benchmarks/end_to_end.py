"""Whole models: Circadia and its peers by turns, each figure as one JSON line at the end of a file.

A program is started anew for every measurement; each warms up before it measures. A line holds
machine, commit, round, work, program and tps (tokens a second); Circadia's prefill and training also
gops, the billions of operations a second that the work cannot do without, and limit, the kernel whose
peak they are compared with.
"""
import argparse
import json
import os
import subprocess
import sys

BENCHMARKS = os.path.dirname(os.path.abspath(__file__))
CIRCADIA = [".build/release/circadia", "bench", "--json", "--quiet", "--reps", "1"]
DEPTHS = [0, 1024, 4096]


def last_json(command):
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output.strip().splitlines()[-1])


def circadia(part, *flags):
    """A measurement of one part of `circadia bench`, the other parts left out."""
    others = [f"--{name}=0" for name in ("prefill", "decode") if name != part]

    def measure():
        series = last_json([*CIRCADIA, *others, *flags])[part]
        figures = {"tps": series["median"]}
        if series.get("operations_per_token"):
            figures["gops"] = series["median"] * series["operations_per_token"] / 1e9
            figures["limit"] = series["kernel"]
        return figures

    return measure


def lookup(questions, key):
    """Greedy replies to the questions of a file in Benchmarks/lookup, at one of two speeds."""
    path = os.path.join(BENCHMARKS, "lookup", questions)
    return lambda: {"tps": last_json(
        [*CIRCADIA, "--prefill=0", "--decode=0", f"--lookup={path}"])["lookup"][key]}


def peer(python, script, *arguments):
    command = [python, os.path.join(BENCHMARKS, script), *arguments]
    return lambda: {"tps": last_json(command)["tps"]}


def plan(llama_python, torch_python, threads):
    """Pairs of a work and its programs, by name."""
    gguf = llama_python and subprocess.run(
        [llama_python, os.path.join(BENCHMARKS, "default_gguf.py")], check=True,
        stdout=subprocess.PIPE, text=True).stdout.strip()

    def llama(*flags):
        if not llama_python:
            return {}
        return {"llama.cpp": peer(
            llama_python, "llama_bench.py", gguf, "--threads", threads, *flags)}

    yield "prefill 512", {
        "Circadia": circadia("prefill", "--prefill=512"), **llama("--prefill", "512")}
    for depth in DEPTHS:
        yield f"decode 128 at depth {depth}", {
            "Circadia": circadia("decode", "--decode=128", f"--depth={depth}"),
            **llama("--decode", "128", "--depth", str(depth))}
    for work, questions in (("quotes", "quotes.jsonl"), ("free text", "free.jsonl")):
        yield f"lookup, {work}", {
            "Circadia": lookup(questions, "tps"),
            "no lookup": lookup(questions, "tps_without_lookup")}
    for kind in ("bf16", "f32"):
        programs = {"Circadia": circadia("train", "--train=4x128", f"--train-precision={kind}")}
        if torch_python:
            programs["torch " + kind] = peer(
                torch_python, "torch_lora.py", "--dtype", kind, "--threads", threads)
        yield f"train 4x128, {kind}", programs
    shape = os.path.join(BENCHMARKS, "shapes", "llama-3.2-3b.json")
    programs = {"Circadia": circadia("train", "--train=1x256", f"--random={shape}")}
    if torch_python:
        programs["torch bf16"] = peer(
            torch_python, "torch_lora.py", "--dtype", "bf16", "--threads", threads,
            "--shape", shape, "--rows", "1", "--tokens", "256")
    yield "train 1x256, 3B shape", programs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machine", default="unknown")
    parser.add_argument("--commit", default="unknown")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    works = list(plan(os.environ.get("LLAMA_PYTHON"), os.environ.get("TORCH_PYTHON"),
                      str(os.cpu_count())))
    for number in range(1, options.rounds + 1):
        for work, programs in works:
            for program, measure in programs.items():
                figures = measure()
                print(f"round {number}: {work}, {program}: {figures['tps']:.1f} tokens/s",
                      file=sys.stderr)
                record = {"machine": options.machine, "commit": options.commit, "round": number,
                          "work": work, "program": program, **figures}
                with open(options.out, "a") as file:
                    file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
