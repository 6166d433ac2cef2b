"""Fits the weights of the retrieval score and judges them on conversations left out.

    fit.py FOLDER MINILM [--without FEATURE …]

FOLDER holds memories-N.jsonl and questions-N.jsonl (question, evidence: ids), MINILM is the folder of
all-MiniLM-L6-v2. Needs torch and transformers. The features are those of QuestionScorer.swift, computed
here again, so that weights can be tried without building anything.
"""
import argparse
import collections
import datetime
import glob
import json
import math
import os
import re
import sqlite3

import numpy
import torch
import transformers

FEATURES = ("lexical asked other coverage names_time in_time asked_near other_near before_user before_other "
            "after").split()
SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Sources/CircadiaMemory/Store")
MONTHS = ("january february march april may june july august september october november december").split()


def swift_words():
    """The stop list and the irregular forms of EnglishWords.swift."""
    with open(os.path.join(SOURCES, "EnglishWords.swift")) as file:
        source = file.read()
    stop = re.search(r'stopWords: Set<String> = Set\(\s*"""(.*?)"""', source, re.S).group(1)
    forms = re.search(r'irregular = """(.*?)"""', source, re.S).group(1)
    bases = {}
    for entry in forms.split(","):
        base, *others = entry.split()
        bases.update({other: base for other in others})
    return set(stop.replace("\\", " ").split()), bases


STOP, BASES = swift_words()


class Stemmer:
    """SQLite's Porter stemmer, which PorterStemmer.swift agrees with."""

    def __init__(self):
        self.known = {}
        self.database = sqlite3.connect(":memory:")
        self.database.execute("CREATE VIRTUAL TABLE t USING fts5(x, tokenize = 'porter unicode61')")
        self.database.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, instance)")

    def __call__(self, words):
        words = [BASES.get(word.lower(), word.lower()) for word in words]
        new = sorted(set(words) - set(self.known))
        if new:
            self.database.execute("DELETE FROM t")
            self.database.executemany("INSERT INTO t(rowid, x) VALUES (?, ?)", enumerate(new))
            found = {row: term for term, row in self.database.execute("SELECT term, doc FROM v")}
            self.known.update({word: found.get(row, word) for row, word in enumerate(new)})
        return [self.known[word] for word in words]


stems = Stemmer()
words = re.compile(r"[^\W_]+").findall
GREETINGS = ("hey hi hello thanks you dear congrats congratulations bye morning night goodnight wow yeah yes "
             "no oh sorry luck welcome").split()
ADDRESS = re.compile(r",\s+([A-Z][a-z]+)(?=\s*(?:[.!?\n]|$))|\b(?:" + "|".join(
    f"[{w[0].upper()}{w[0]}]{w[1:]}" for w in GREETINGS) + r")\s+([A-Z][a-z]+)(?=\s*(?:[,.!?\n]|$))")
NAMES_TIME = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|ago|since|recently|weekend|(?:last|next|this) (?:week|month|year|"
    r"night|morning|evening|summer|winter|spring|fall|autumn|(?:mon|tues|wednes|thurs|fri|satur|sun)day)|"
    r"january|february|march|april|june|july|august|september|october|november|december|in may|may \d|"
    r"(?:19|20)\d\d)\b", re.I)
ASKS_TIME = re.compile(
    r"\bwhen\b(?! (?:i|you|we|they|he|she|it)\b)|\b(?:what|which) (?:year|month|week|day|date|time)\b|"
    r"\bhow (?:long|recently|often)\b", re.I)


def days(year, month, day):
    return datetime.datetime(year, month, day, tzinfo=datetime.timezone.utc).timestamp() / 86400


def interval(question, now):
    """The days that a question names by a month or a year; TimeWords.swift knows more forms."""
    tokens = re.findall(r"[a-z]+|\d+", question.lower())
    for place, token in enumerate(tokens):
        if re.fullmatch(r"(19|20)\d\d", token):
            return days(int(token), 1, 1), days(int(token) + 1, 1, 1)
        if token not in MONTHS:
            continue
        before = tokens[place - 1] if place else ""
        after = [t for t in tokens[place + 1:place + 4] if t not in ("st", "nd", "rd", "th", "of")]
        if token in ("may", "march") and not (before.isdigit() or before in "in of last since during on by".split()
                                              or (after and after[0].isdigit())):
            continue
        month, day, year = MONTHS.index(token) + 1, int(before) if before.isdigit() else None, None
        for number in after:
            if not number.isdigit():
                break
            if int(number) > 1900:
                year = int(number)
                break
            day = day or int(number)
        year = year or (now.year if month <= now.month else now.year - 1)
        if day and day < 29:
            return days(year, month, day), days(year, month, day) + 1
        return days(year, month, 1), days(year + month // 12, month % 12 + 1, 1)
    return None


class Embedder:
    def __init__(self, folder):
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self.model = transformers.AutoModel.from_pretrained(folder).eval()

    def __call__(self, texts):
        vectors = numpy.zeros((len(texts), self.model.config.hidden_size), numpy.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), 32):
            batch = order[start:start + 32]
            inputs = self.tokenizer([texts[i] for i in batch], padding=True, truncation=True, max_length=256,
                                    return_tensors="pt")
            with torch.no_grad():
                hidden = self.model(**inputs).last_hidden_state
            mask = inputs["attention_mask"].unsqueeze(-1)
            pooled = (hidden * mask).sum(1) / mask.sum(1)
            vectors[batch] = torch.nn.functional.normalize(pooled, dim=1).numpy()
        return vectors


def bm25(frequency, weight, length, k=1.2, b=0.4):
    return weight * frequency * (k + 1) / (frequency + k * (1 - b + b * length))


def share(values):
    return values / numpy.maximum(values.max(1, keepdims=True), 0.01)


def conversation(folder, number, embed):
    """Features [questions, exchanges, features] and the evidence of each question."""
    with open(f"{folder}/memories-{number}.jsonl") as file:
        exchanges = [json.loads(line) for line in file]
    with open(f"{folder}/questions-{number}.jsonl") as file:
        questions = [q for q in map(json.loads, file) if q["evidence"]]
    size = len(exchanges)
    sides = [[" ".join(m["content"] for m in e["messages"] if (m["role"] == "user") == user)
              for e in exchanges] for user in (True, False)]
    same = [i > 0 and exchanges[i]["session"] == exchanges[i - 1]["session"] for i in range(size)]
    previous = numpy.array([i - 1 if same[i] else -1 for i in range(size)])
    following = numpy.array([i + 1 if i + 1 < size and same[i + 1] else -1 for i in range(size)])

    def at(values, places, absent=0.0):
        return numpy.where(places >= 0, values[..., places], absent)

    counts = [[collections.Counter(stems(words(text))) for text in side] for side in sides]
    lengths = [numpy.array([sum(c.values()) for c in side], float) for side in counts]
    both = lengths[0] + lengths[1]
    context = both + .4 * at(both, previous) + .2 * at(both, following)
    times = [datetime.datetime.fromisoformat(e["timestamp"].replace("Z", "+00:00")) for e in exchanges]
    moments = numpy.array([t.timestamp() / 86400 for t in times])
    says_time = [numpy.array([bool(NAMES_TIME.search(t)) for t in side]) for side in sides]
    addresses = [collections.Counter() for _ in sides]
    for side in (0, 1):
        for text in sides[side]:
            names = {a or b for a, b in ADDRESS.findall(text)}
            addresses[side].update(stems(sorted(names)))

    def asked_side(term):
        """1: the user bears this name, -1: the other side; 0: no name of a speaker."""
        by_user, by_other = addresses[0][term], addresses[1][term]
        holders = sum(a[term] > 0 or b[term] > 0 for a, b in zip(*counts))
        if by_user + by_other < 2 or (by_user + by_other) * 5 < holders * 2:
            return 0
        return (by_other > by_user) - (by_user > by_other)

    rows, stripped, roles = [], [], []
    for question in questions:
        terms = [w for w in dict.fromkeys(w.lower() for w in words(question["question"])) if w not in STOP]
        terms = list(dict.fromkeys(stems(terms)))
        names = {t: asked_side(t) for t in terms if asked_side(t)}
        role = numpy.sign(sum(names.values()))
        roles.append(role)
        kept = [w for w in question["question"].split() if not (words(w) and stems(words(w))[0] in names)]
        stripped.append(" ".join(kept))
        lexical, coverage, information = numpy.zeros(size), numpy.zeros(size), 0
        side_scores = [numpy.zeros(size), numpy.zeros(size)]
        for term in terms:
            if term in names:
                continue
            found = [numpy.array([c[term] for c in side], float) for side in counts]
            whole = found[0] + found[1]
            holders = (whole > 0).sum()
            weight = math.log(1 + (size - holders + .5) / (holders + .5))
            near = whole + .4 * at(whole, previous) + .2 * at(whole, following)
            lexical += bm25(near, weight, context / context.mean())
            coverage += weight * (near > 0)
            information += weight
            for side in (0, 1):
                side_scores[side] += bm25(found[side], weight, 2 * lengths[side] / both.mean())
        in_time = numpy.zeros(size)
        named = interval(question["question"], max(times))
        if named:
            distance = numpy.maximum(0, numpy.maximum(named[0] - moments, moments - named[1]))
            in_time = numpy.exp(-distance / max(7, (named[1] - named[0]) / 2))
        flags = says_time[0] if role > 0 else says_time[1] if role < 0 else says_time[0] | says_time[1]
        time = flags * bool(ASKS_TIME.search(question["question"]))
        asked, other = order(role, *side_scores)
        rows.append((lexical, asked, other, coverage / max(information, 1e-6), time, in_time))
    features = [numpy.stack([row[i] for row in rows]) for i in range(6)]
    features[:3] = [share(f) for f in features[:3]]
    queries = embed(stripped)
    near = [queries @ embed([text or other for text, other in zip(*pair)]).T
            for pair in (sides, sides[::-1])]
    mean = (near[0] + near[1]) / 2
    ordered = [order(role, a, b) for role, a, b in zip(roles, *near)]
    features += [numpy.stack([o[0] for o in ordered]), numpy.stack([o[1] for o in ordered]),
                 at(near[0], previous, .7 * mean), at(near[1], previous, .7 * mean),
                 at(mean, following, .7 * mean)]
    places = {e["id"]: i for i, e in enumerate(exchanges)}
    return numpy.stack(features, -1).astype(numpy.float32), [[places[i] for i in q["evidence"]] for q in questions]


def order(role, user, other):
    if role == 0:
        return numpy.maximum(user, other), numpy.minimum(user, other)
    return (user, other) if role > 0 else (other, user)


def fit(conversations, decay=1e-3):
    """The weights under which a softmax over the exchanges makes the evidence most likely."""
    data = [(torch.tensor(f), e) for f, e in conversations]
    weights = torch.ones(data[0][0].shape[-1], requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=60, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        total, count = 0, 0
        for features, evidence in data:
            logs = torch.log_softmax(features @ weights, 1)
            for question, places in enumerate(evidence):
                total = total - logs[question, places].mean()
            count += len(evidence)
        total = total / count + decay * (weights ** 2).sum()
        total.backward()
        return total

    optimizer.step(loss)
    return weights.detach().numpy()


def ranks(features, evidence, weights):
    scores = features @ weights
    for question, places in enumerate(evidence):
        place = {e: i for i, e in enumerate(numpy.argsort(-scores[question], kind="stable"))}
        found = [place[e] for e in places]
        yield min(found), max(found)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder")
    arguments.add_argument("minilm")
    arguments.add_argument("--without", nargs="*", default=[], choices=FEATURES)
    options = arguments.parse_args()
    kept = [i for i, name in enumerate(FEATURES) if name not in options.without]
    embed = Embedder(options.minilm)
    numbers = sorted(re.findall(r"memories-(\w+)\.jsonl", " ".join(glob.glob(f"{options.folder}/*"))))
    data = [conversation(options.folder, number, embed) for number in numbers]
    data = [(features[..., kept], evidence) for features, evidence in data]
    found = []
    for left_out in range(len(data)):
        weights = fit(data[:left_out] + data[left_out + 1:])
        found += ranks(*data[left_out], weights)
    first, last = numpy.array(found).T
    figures = {f"recall@{k}": (first < k).mean() for k in (1, 3, 5, 10)}
    figures |= {"all_evidence@10": (last < 10).mean(), "mrr": (1 / (first + 1)).mean()}
    weights = dict(zip([FEATURES[i] for i in kept], fit(data).tolist()))
    print(json.dumps({"left_out": {k: round(float(v), 3) for k, v in figures.items()},
                      "weights": {k: round(v, 2) for k, v in weights.items()}, "questions": len(found)}))


main()
