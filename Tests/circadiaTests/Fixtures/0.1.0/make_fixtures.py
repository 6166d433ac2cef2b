#!/usr/bin/env python3
"""Writes the fixtures in this folder with the program of one version.

    make_fixtures.py PROGRAM

README.md says what each folder holds. Run it with the program of the version that the folder is named after, never
with a later one: fixtures say what a released version wrote. Ids and times differ from run to run.
"""
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "..", "Benchmarks", "nights"))
import tiny_model  # noqa: E402

program = os.path.abspath(sys.argv[1])
# Scalar kernels add in one order on every processor, so an unfinished night goes on anywhere.
environment = {**os.environ, "CIRCADIA_ISA": "scalar", "TZ": "UTC"}

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VOCABULARY = 272
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")

# The shortest nights that still keep checkpoints and a diary.
COMMON = ["--model", "model/", "--rag", "--threads", "1"]
TRAINING = ["--batch-size", "2", "--max-seq-len", "192", "--lora-r", "4", "--rehearsal", "0.2", "--held-out", "0.2",
            "--preference-pairs", "1", "--report-questions", "1", "--report-tokens", "8"]
SHORT = [*TRAINING, "--iters", "6"]
ACCEPTED = [*COMMON, *SHORT, "--no-gate"]
# Learns enough for the whole gate to look at it, which then finds that the model has changed too much.
JUDGED = [*COMMON, *TRAINING, "--iters", "40", "--learning-rate", "0.01", "--kl-weight", "0"]
UNFINISHED = [*COMMON, *TRAINING, "--iters", "40", "--checkpoint-every", "5", "--no-gate"]

IMPORTED = [
    ("name", "My boat is called Petrel, remember that.", "Petrel it is, a fine name."),
    ("short", "Please keep your answers short.", "I will."),
    ("metric", "How long is the boat?", "6.4 m."),
    ("code", "Show me a loop.", "```swift\nfor tide in tides { print(tide) }\n```"),
    ("order", "Keep this: order HC-20417-88, 12 screws 5x40 mm at 0.85, tracking 7740 1182 0096 5521.", "Kept."),
    ("tea", "Do you like tea?", "Of course, tea."),
    ("bread", "And bread?", "Bread too."),
    ("rain", "Will it rain?", "Perhaps on Friday."),
    ("private", "Nobody is to learn this.", "Understood."),
    ("fleeting", "Nobody is to look this up.", "Understood."),
]
CHAT = "Good morning!\n/good\nMy password: hunter2Xy9!kk\nWhat is the boat called?\n/bad\n"


def run(folder, *arguments, input="", expected=0):
    done = subprocess.run(
        [program, *arguments], cwd=folder, env=environment, input=input, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    if done.returncode != expected:
        sys.exit(f"{' '.join(arguments)}\nended with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def byte_alphabet():
    """GPT-2's character for each byte: the printable ones stand for themselves."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{byte: chr(byte) for byte in printable},
            **{byte: chr(256 + place) for place, byte in enumerate(others)}}


def write_model(folder):
    """A model of two blocks whose tokens are the 256 bytes and three special tokens."""
    tokens = [*SPECIAL, *(byte_alphabet()[byte] for byte in range(256))]
    added = [{"id": number, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": True} for number, text in enumerate(SPECIAL)]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    documents = {
        "tokenizer.json": {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                      "ignore_merges": False, "vocab": {token: number for number, token in enumerate(tokens)},
                      "merges": []}},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|im_start|>", "eos_token": "<|im_end|>",
            "pad_token": "<|im_end|>", "unk_token": "<|endoftext|>", "model_max_length": 512,
            "chat_template": TEMPLATE},
        "generation_config.json": {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2},
    }
    with tempfile.TemporaryDirectory() as tokenizer:
        for name, document in documents.items():
            with open(os.path.join(tokenizer, name), "w") as file:
                json.dump(document, file, ensure_ascii=False)
        tiny_model.write(folder, tokenizer, vocabulary=VOCABULARY)


def write_log(folder):
    """A log that was imported, tagged and chatted into, and the store of it."""
    source = os.path.join(folder, "import.jsonl")
    with open(source, "w") as file:
        for number, (name, question, reply) in enumerate(IMPORTED):
            messages = [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
            file.write(json.dumps({
                "id": name, "timestamp": f"2026-11-{20 + number // 2}T09:0{number % 2}:00Z",
                "session": f"day-{number // 2}", "messages": messages, "model": "handwritten"}) + "\n")
    run(folder, "memory", "import", source)
    os.remove(source)
    run(folder, "memory", "tag", "no-train", "private")
    run(folder, "memory", "tag", "no-rag", "fleeting")
    run(folder, "rag", "ingest", "--all")
    run(folder, "chat", "--model", "model/", "--rag", "--max-tokens", "12", "--temp", "0", input=CHAT)


def killed(folder, step, *arguments):
    """Ends a night with SIGKILL after this step."""
    errors = os.path.join(folder, "stderr")
    with open(errors, "w") as file:
        process = subprocess.Popen([program, *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=file)
    while process.poll() is None:
        with open(errors) as file:
            reached = re.findall(r"^step (\d+) of", file.read(), re.MULTILINE)
        if reached and int(reached[-1]) >= step:
            process.kill()
            process.wait()
            os.remove(errors)
            return
        time.sleep(0.001)
    sys.exit(f"the night ended before step {step}")


def files(folder):
    """Every file's bytes by its path, without locks, packed weights and what a killed process was just writing."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            empty_wal = name.endswith("-wal") and os.path.getsize(path) == 0
            if name.endswith((".lock", "-shm")) or name.startswith(".circadia-") or empty_wal:
                continue
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = file.read()
    return found


def keep(name, contents):
    for path, data in contents.items():
        target = os.path.join(HERE, name, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(data)


def keep_changes(name, folder, before):
    """Keeps the files that a command changed or added; it must have removed none."""
    after = files(folder)
    assert not before.keys() - after.keys(), before.keys() - after.keys()
    keep(name, {path: data for path, data in after.items() if before.get(path) != data})


def weights(folder):
    return hashlib.sha256(files(folder)["adapters/nightly_update/adapters.safetensors"]).hexdigest()


def killed_while_forgetting(folder):
    """The journal of a `forget` that was killed as soon as it had one.

    It names the folder and the log's inode, which a copy does not have: placeholders take their places.
    """
    journal = os.path.join(folder, "data", "memories.jsonl.forgetting")
    for _ in range(200):
        process = subprocess.Popen(
            [program, "forget", "--id", "tea", "--yes"], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not os.path.exists(journal):
            pass
        process.kill()
        process.wait()
        if os.path.exists(journal):
            with open(journal) as file:
                text = file.read().replace(os.path.realpath(folder), "@FOLDER@").replace(folder, "@FOLDER@")
            return re.sub(r'"device":\d+,"inode":\d+', '"device":@DEVICE@,"inode":@INODE@', text)
        run(folder, "forget", "--undo")
    sys.exit("no kill met the journal")


def main():
    for name in ("model", "home", "unfinished", "forgotten", "forgetting"):
        shutil.rmtree(os.path.join(HERE, name), ignore_errors=True)
    with tempfile.TemporaryDirectory() as root:
        home = os.path.join(root, "home")
        os.makedirs(home)
        write_model(os.path.join(home, "model"))
        write_log(home)
        run(home, "sleep", *ACCEPTED)
        # The second night, between two evaluations.
        run(home, "run-cycle", "--tag", "fixture", "--max-prompts", "2", *COMMON,
            *(flag.replace("--", "--sleep-") for flag in [*SHORT, "--no-gate"]))
        # A third that the gate rejects.
        run(home, "sleep", *JUDGED, expected=2)
        before = files(home)
        keep("model", {path[6:]: data for path, data in before.items() if path.startswith("model/")})
        keep("home", {path: data for path, data in before.items() if not path.startswith("model/")})
        copies = {name: shutil.copytree(home, os.path.join(root, name))
                  for name in ("next", "unfinished", "forgotten", "forgetting")}

        expected = {"isa": "scalar", "accepted": weights(home), "night": ACCEPTED, "unfinished_night": UNFINISHED}
        run(copies["next"], "sleep", *ACCEPTED)
        expected["next"] = weights(copies["next"])
        killed(copies["unfinished"], 20, "sleep", *UNFINISHED)
        keep_changes("unfinished", copies["unfinished"], before)
        run(copies["unfinished"], "sleep", *UNFINISHED, "--resume")
        expected["resumed"] = weights(copies["unfinished"])
        run(copies["forgotten"], "forget", "--id", "tea", "--id", "order", "--yes")
        keep_changes("forgotten", copies["forgotten"], before)
        journal = killed_while_forgetting(copies["forgetting"])
        keep("forgetting", {"data/memories.jsonl.forgetting": journal.encode()})
    with open(os.path.join(HERE, "expected.json"), "w") as file:
        json.dump(expected, file, indent=1, sort_keys=True)
        file.write("\n")


main()
