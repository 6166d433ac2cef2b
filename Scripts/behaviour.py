#!/usr/bin/env python3
"""Records what the program computes, so that a change to the code can be shown to change none of it.

    behaviour.py PROGRAM OUT_DIR [--only PART,PART] [--like FILE]
    behaviour.py --compare A.json B.json [--only PART,PART] [--allow-wording]

The first form runs PROGRAM (`.build/release/circadia`) in a new folder and writes OUT_DIR/behaviour.json. Every
input is shipped in data/, every seed and moment is fixed, and times, speeds, memory sizes, versions of the code and
random ids are left out, so two runs on one machine write the same file. With `--like FILE` it then compares the
result with FILE; on a machine with other instructions it says so and runs nothing, because bits depend on the
instruction set.

The second form prints every value that differs and exits with 1 if there is one. `--allow-wording` forgives a
sentence (a verdict, a reason) whose numbers are the same.

The parts, which `--only` picks from:

    answers      eval-loss, eval-harness, routing, the store and its searches, tokenizing, generating, a chat
    cycle        the night of `make demo`, evaluated before and after, with two threads; its report; its store
    one_thread   the same night with one thread
    resumed      the same night, killed, resumed, interrupted and resumed again
    tiny         short nights of a random model, one for each way to train that the demo does not take

It needs python3 and the two models of `make models`.
"""
import argparse
import hashlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time

REPOSITORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
SAMPLES = os.path.join(REPOSITORY, "data", "samples")

QUESTIONS = [
    "what is the serial number of the pump?",
    "when does my order from the chandlery arrive?",
    "which varnish did I buy and how much of it?",
    "what did I say on Tuesday?",
    "what was the Swift code for the tides?",
    "Olly",
    "how should you address me?",
    "what should I have for breakfast before a long run?",
    "the tracking number 7740 1182 0096 5521",
    "a question about nothing that was ever mentioned",
]
# The moment that "Tuesday" and "last week" are relative to; the sample week ends on 2025-03-07.
NOW = "2025-03-08T12:00:00Z"

PROMPTS = [
    ("greedy", ["--temp", "0", "--prompt", "Tell me about rain."]),
    ("sampled", ["--seed", "7", "--prompt", "Tell me about rain."]),
    ("top_k", ["--seed", "7", "--top-k", "20", "--min-p", "0.05", "--repetition-penalty", "1.2",
               "--prompt", "Write a line about the sea."]),
    ("raw", ["--temp", "0", "--raw", "--prompt", "One, two, three, four,"]),
    ("exact_cache", ["--temp", "0", "--kv-bits", "16", "--system", "You are a pirate.", "--prompt", "Who are you?"]),
]

TEXTS = ["Hello, world!", "Grüße aus Köln: 3,5 km – naïve 東京 🚲", "<|im_start|>user\n  two  spaces\t<|im_end|>"]

CHAT = """\
I moved to Harbour Lane 12 in March 2024, and the order number of my boiler is BX-4471-90.
What is the order number of my boiler?
/good
My password: hunter2Xy9!kk
I prefer short answers.
/bad
"""

DEMO = ["--rag", "--reset-adapter"]  # the flags of the night in Scripts/demo.sh

# Nights of the tiny model, on the first two days: ways to train that the demo does not take. Two seconds each.
TINY = ["--iters", "8", "--batch-size", "4", "--max-seq-len", "128", "--report-questions", "2", "--report-tokens",
        "8", "--threads", "2"]
WITHOUT = ["--no-gate", "--preference-pairs", "0"]
TINY_NIGHTS = {
    "plain": WITHOUT,
    "dora": [*WITHOUT, "--dora", "--lora-r", "4", "--lora-keys", "q_proj,v_proj", "--lora-layers", "1"],
    "adamw_cosine": [*WITHOUT, "--optimizer", "adamw", "--weight-decay", "0.1", "--schedule", "cosine",
                     "--clip", "0.5"],
    "dropout": [*WITHOUT, "--dropout", "0.1", "--seed", "5", "--no-bias-correction"],
    "early_stop": [*WITHOUT, "--eval-every", "2", "--patience", "1", "--learning-rate", "0.02"],
    "mlx": [*WITHOUT, "--mlx-compat"],
    "accumulated": [*WITHOUT, "--grad-accumulation", "2", "--kl-weight", "0", "--held-out", "0"],
    # Paraphrases are written and refused: the model babbles. They take long, so there are few exchanges.
    "augmented": [*WITHOUT, "--augment", "--augment-pairs", "2"],
    # Pairs for preferences, and a candidate that is rejected for its held-out loss.
    "judged": ["--quick-gate", "--preference-pairs", "2"],
}
TINY_EXCHANGES = {"augmented": 6}

# Left out: what the clock, the machine or chance decides. `adapter` is a path, `started` a time.
VOLATILE = re.compile(r"seconds$|bytes$|_tps$|^(started|code_version|adapter)$")
# Sentences for people; everything else is a value or a text of a model.
WORDING = re.compile(r"\.(verdict|reasons|explanations)(\.|$)")


class Workshop:
    """A new folder with the sample week as its chat log, and the program, which runs in it."""

    def __init__(self, program, root, name, exchanges=None):
        self.program = os.path.abspath(program)
        self.folder = os.path.join(root, name)
        os.makedirs(self.path("data"))
        with open(os.path.join(SAMPLES, "week.jsonl")) as week, open(self.path("data", "memories.jsonl"), "w") as log:
            log.writelines(week.readlines()[:exchanges])
        kept = {key: value for key, value in os.environ.items()
                if not key.startswith(("CIRCADIA_", "OMP_", "LC_", "LANG"))}
        home = os.environ.get("CIRCADIA_HOME")
        self.environment = {**kept, **({"CIRCADIA_HOME": home} if home else {}), "TZ": "UTC", "LC_ALL": "C"}

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def run(self, *arguments, input="", expected=(0,)):
        """What the program prints; ends everything where its exit code is not expected."""
        done = subprocess.run(
            [self.program, *arguments], cwd=self.folder, env=self.environment, text=True, input=input,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode not in expected:
            sys.exit(f"{' '.join(arguments)}\nended with exit code {done.returncode}:\n{done.stderr}")
        return done.stdout

    def json(self, *arguments, **more):
        return json.loads(self.run(*arguments, "--json", **more))

    def lines(self, *arguments, **more):
        return [json.loads(line) for line in self.run(*arguments, "--json", **more).splitlines()]

    def stop_at(self, step, number, *arguments):
        """Sends a signal as soon as the progress says that this step was reached; returns the exit code."""
        errors = self.path("stderr")
        with open(errors, "w") as file:
            process = subprocess.Popen(
                [self.program, *arguments], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=file)
        while process.poll() is None:
            with open(errors) as file:
                reached = [int(found) for found in re.findall(r"^step (\d+) of", file.read(), re.MULTILINE)]
            if reached and reached[-1] >= step:
                process.send_signal(number)
                return process.wait()
            time.sleep(0.01)
        sys.exit(f"{' '.join(arguments)}\nended before step {step}:\n{open(errors).read()}")

    def digest(self, *names):
        with open(self.path(*names), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()


def short_digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stable(value):
    """The value without members that differ from run to run."""
    if isinstance(value, dict):
        return {key: stable(member) for key, member in value.items() if not VOLATILE.search(key)}
    return [stable(member) for member in value] if isinstance(value, list) else value


def contents(work, *flags):
    """Every exchange of a store in order; texts as digests, since they are long."""
    return [{"id": row["id"], "timestamp": row["timestamp"], "text": short_digest(row["text"])}
            for row in work.lines("rag", "list", *flags)]


def searches(work, questions):
    found = []
    for question in questions:
        for row in work.lines("rag", "search", "--top-k", "5", "--now", NOW, question):
            results = [{**result, "text": short_digest(result["text"])} for result in row["results"]]
            found.append({"query": row["query"], "results": results})
    return found


def chat(work):
    """A scripted chat with a store; ids and times are replaced by the exchange's place."""
    flags = ["--rag-dir", "chat_store"]
    said = work.run("chat", "--rag", "--memory-file", "chat.jsonl", *flags, "--temp", "0", "--seed", "1",
                    "--max-tokens", "40", "--threads", "2", input=CHAT)
    with open(work.path("chat.jsonl")) as file:
        log = [json.loads(line) for line in file]
    places = {exchange["id"]: f"<{place}>" for place, exchange in enumerate(log)}

    def placed(text):
        for key, place in places.items():
            text = text.replace(key, place)
        return text

    for exchange in log:
        del exchange["timestamp"], exchange["session"]
    stored = [{"id": placed(row["id"]), "text": placed(row["text"])} for row in work.lines("rag", "list", *flags)]
    return {"said": said, "log": json.loads(placed(json.dumps(log))), "stored": stored}


def answers(program, root):
    work = Workshop(program, root, "answers")
    result = {
        "eval_loss": stable(work.json("eval-loss", "--no-adapter")),
        "eval_harness": stable(work.json("eval-harness", "--no-adapter")),
        "route": [{**row, "reasons": {"explanations": row["reasons"]}} for row in work.lines("route", "--explain")],
        "route_text": {"explanations": work.run("route", "--explain").splitlines()},
        "ingest": work.json("rag", "ingest"),
        "stored": contents(work),
        "searches": searches(work, QUESTIONS),
        "memory_search": [row["id"] for query in ["pump", "varnish litres", "bedtime"]
                          for row in work.lines("memory", "search", query)],
        "tokenize": [work.json("tokenize", input=text)["ids"] for text in TEXTS],
        "tokenize_plain": [work.json("tokenize", "--no-special", input=text)["ids"] for text in TEXTS],
        "generate": {name: stable(work.json("generate", "--max-tokens", "40", "--threads", "2", *flags))
                     for name, flags in PROMPTS},
        "chat": chat(work),
    }
    work.run("rag", "clear")
    result["ingest_all"] = work.json("rag", "ingest", "--all")
    result["searches_of_all"] = searches(work, QUESTIONS)
    return result


def night(work, printed):
    """What a night that has ended leaves: its figures, and the bytes of its adapter."""
    with open(work.path("adapters", "nightly_update", "night.json")) as file:
        manifest = json.load(file)
    with open(work.path("adapters", "nightly_update", "adapter_config.json")) as file:
        configuration = json.load(file)
    for name in ("model", "version", "night"):  # a path, the code's version, a time
        del configuration["circadia"][name]
    return {
        "adapter_sha256": work.digest("adapters", "nightly_update", "adapters.safetensors"),
        "configuration": configuration,
        "figures": stable(printed),
        "trained": short_digest(" ".join(manifest["trained"])),
        "held_out": short_digest(" ".join(manifest["held_out"])),
        "recipe": manifest["recipe"],
    }


def cycle(program, root):
    work = Workshop(program, root, "cycle")
    flags = [f"--sleep-{flag[2:]}" if flag == "--reset-adapter" else flag for flag in DEMO]
    record = work.json("run-cycle", "--tag", "demo", "--threads", "2", *flags)
    del record["timestamp"]
    generated = stable(work.json("generate", "--temp", "0", "--max-tokens", "40", "--threads", "2", "--prompt",
                                 "What should I have for breakfast before a long run?"))
    return {
        **night(work, record.pop("sleep")), "evaluations": stable(record), "report": stable(work.json("report")),
        "versions": stable(work.json("adapter", "list")), "generate_after": generated, "stored": contents(work),
        "searches": searches(work, QUESTIONS[:3])}


def one_thread(program, root):
    work = Workshop(program, root, "one_thread")
    return night(work, work.json("sleep", *DEMO, "--threads", "1"))


def resumed(program, root):
    work = Workshop(program, root, "resumed")
    sleep = ["sleep", *DEMO, "--threads", "2"]
    code = work.stop_at(30, signal.SIGKILL, *sleep)
    assert code == -signal.SIGKILL, code
    code = work.stop_at(60, signal.SIGINT, *sleep, "--resume")
    assert code == 75, f"an interrupted night ended with {code}"
    return night(work, work.json(*sleep, "--resume"))


def tiny_nights(program, root):
    """Every kind of night in a folder of its own; after the plain one a second, and one that has to forget."""
    sys.path.insert(0, os.path.join(REPOSITORY, "Benchmarks", "nights"))
    import tiny_model
    model = os.path.join(root, "tiny_model")
    tiny_model.write_with_usual_tokenizer(model)
    results = {}
    for name, flags in TINY_NIGHTS.items():
        work = Workshop(program, root, f"tiny_{name}", exchanges=TINY_EXCHANGES.get(name, 40))
        flags = ["sleep", "--model", model, *TINY, *flags]
        if name == "judged":
            results[name] = stable(work.json(*flags, expected=(2,)))
            continue
        results[name] = night(work, work.json(*flags))
        if name == "plain":
            results["continued"] = night(work, work.json(*flags))
            work.run("forget", "--id", "week-010", "--yes")
            results["after_forgetting"] = night(work, work.json(*flags))
    return results


PARTS = {"answers": answers, "cycle": cycle, "one_thread": one_thread, "resumed": resumed, "tiny": tiny_nights}


def processor():
    """The processor's name as the system gives it, on Linux with the numbers that tell generations apart."""
    try:
        with open("/proc/cpuinfo") as file:
            facts = dict(re.findall(r"^(model name|cpu family|model)\s*:\s*(.+)$", file.read(), re.MULTILINE))
        return "{model name} (family {cpu family}, model {model})".format_map(facts)
    except (OSError, KeyError):
        named = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
        return named.stdout.strip() or platform.machine()


def machine(program):
    """What bits depend on: the instruction set, and the variant of each kernel."""
    doctor = json.loads(subprocess.run([program, "doctor", "--json"], capture_output=True, check=True).stdout)
    text = subprocess.run([program, "doctor"], capture_output=True, check=True, text=True).stdout
    line = next(line for line in text.splitlines() if line.startswith("instruction set"))
    return {"processor": processor(), "system": platform.system(), "isa": doctor["isa"],
            "doctor": " ".join(line.split()), "variants": doctor["kernels"]}


def is_comparable(one, other):
    """Whether two machines compute the same bits. Other variants on one processor are a change of the program."""
    same_variants = one["isa"] == other["isa"] and one["variants"] == other["variants"]
    return one["system"] == other["system"] and (one["processor"] == other["processor"] or same_variants)


def record(program, folder, parts, here):
    """Runs the parts; OUT_DIR/behaviour.json is written after each. Returns what is in it."""
    result = {"machine": here}
    os.makedirs(folder, exist_ok=True)
    for name in parts:
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="circadia-behaviour-") as root:
            result[name] = PARTS[name](program, root)
        print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr)
        with open(os.path.join(folder, "behaviour.json"), "w") as file:
            json.dump(result, file, indent=1, sort_keys=True, ensure_ascii=False)
            file.write("\n")
    return result


def flattened(value, path=""):
    """Pairs of a path, such as `.cycle.figures.gate.attempts.0.share`, and the value there."""
    if isinstance(value, (dict, list)) and value:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, member in pairs:
            yield from flattened(member, f"{path}.{key}")
    else:
        yield path, value


def says_the_same(path, one, other):
    """Whether two sentences for people have the same numbers in the same order."""
    if not WORDING.search(path) or not isinstance(one, str) or not isinstance(other, str):
        return False
    return re.findall(r"\d+(?:\.\d+)?", one) == re.findall(r"\d+(?:\.\d+)?", other)


def compare(one, other, parts, allow_wording):
    """Prints what differs; returns how many values do."""
    absent = object()
    missing = [name for name in parts if name not in one or name not in other]
    for name in missing:
        print(f"{name}: only one of the two has this part; leave it out with --only")
    found = [name for name in parts if name not in missing]
    sides = [dict(flattened({"variants": side["machine"]["variants"], **{name: side[name] for name in found}}))
             for side in (one, other)]
    count, reworded = len(missing), 0
    for path in sorted(sides[0].keys() | sides[1].keys()):
        values = [side.get(path, absent) for side in sides]
        if json.dumps(values[0], default=str) == json.dumps(values[1], default=str):
            continue
        if says_the_same(path, *values):
            reworded += 1
            if allow_wording:
                continue
        count += 1
        shown = ["absent" if value is absent else json.dumps(value, ensure_ascii=False) for value in values]
        print(f"{path[1:]}\n  {shown[0]}\n  {shown[1]}")
    print(f"{', '.join(parts)}: {count or 'no'} differences" + (f"; {reworded} sentences reworded" if reworded else ""))
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?")
    parser.add_argument("folder", nargs="?", metavar="OUT_DIR")
    parser.add_argument("--compare", nargs=2, metavar=("A.json", "B.json"))
    parser.add_argument("--only", metavar="PART,PART", default=",".join(PARTS))
    parser.add_argument("--like", metavar="FILE")
    parser.add_argument("--allow-wording", action="store_true")
    options = parser.parse_args()
    parts = options.only.split(",")
    for name in parts:
        if name not in PARTS:
            parser.error(f"no part is called {name}; the parts are {', '.join(PARTS)}")

    def read(path):
        with open(path) as file:
            return json.load(file)

    if options.compare:
        one, other = map(read, options.compare)
        sys.exit(1 if compare(one, other, parts, options.allow_wording) else 0)
    if not options.folder:
        parser.error("give PROGRAM and OUT_DIR, or --compare A.json B.json")
    program = os.path.abspath(options.program)
    here = machine(program)
    recorded = read(options.like) if options.like else None
    if recorded and not is_comparable(recorded["machine"], here):
        print(f"Not compared: {options.like} was recorded on {recorded['machine']['processor']} "
              f"({recorded['machine']['doctor']}), this is {here['processor']} ({here['doctor']}). Bits depend on "
              "the instruction set. Record a file on this machine with the program before your change, and "
              "compare with that one.")
        return
    result = record(program, options.folder, parts, here)
    if recorded:
        sys.exit(1 if compare(recorded, result, parts, options.allow_wording) else 0)


main()
