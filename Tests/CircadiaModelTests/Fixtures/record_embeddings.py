"""Records sentence embeddings as torch computes them (mean pooling, L2 norm).

usage: record_embeddings.py MODEL_DIR > minilm_embeddings.json
       record_embeddings.py MODEL_DIR TEXTS.json
The first form records the texts below, their token ids and the first 16 numbers of each vector. The second reads an array of strings and prints {"ids", "vector"} of each, one a line.
"""
import json
import sys

import torch
from transformers import AutoModel, AutoTokenizer

TEXTS = [
    "",
    "Hello!",
    "How do I get to the station by bus?",
    "The quick brown fox jumps over the lazy dog.",
    "My sister's birthday is on 14 March 1991, and she loves orchids.",
    "func add(_ a: Int, _ b: Int) -> Int { a + b }",
    "https://example.org/path?query=1&other=two#fragment",
    "Ein Satz auf Deutsch: Übermäßige Größe, Straße, schön.",
    "今日はとても良い天気ですね。",
    "😀 emoji 🎉 and naïve café résumé",
    "The meeting was moved from Tuesday to Thursday because the room was taken. " * 4,
    "word " * 400,
]

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModel.from_pretrained(sys.argv[1], attn_implementation="eager").eval()
given = len(sys.argv) > 2
texts = json.load(open(sys.argv[2])) if given else TEXTS
records = []
for text in texts:
    batch = tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state[0]
    vector = torch.nn.functional.normalize(hidden.double().mean(0), dim=0)
    record = {"ids": batch["input_ids"][0].tolist(), "vector": [round(v, 7) for v in vector.tolist()]}
    if not given:
        record = {"text": text, "ids": record["ids"], "vector": record["vector"][:16]}
    records.append(record)
lines = [json.dumps(r) for r in records]
print("\n".join(lines) if given else "[\n" + ",\n".join(lines) + "\n]")
