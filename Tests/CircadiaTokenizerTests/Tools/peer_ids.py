"""Encodes a file with Hugging Face `tokenizers`.

usage: python peer_ids.py TOKENIZER_JSON TEXT_FILE parse|plain|wordpiece OUT

Writes the ids as little-endian int32, then their decoded text beside them as OUT.txt.
"""
import array
import sys

from tokenizers import Tokenizer

tokenizer_path, text_path, mode, out_path = sys.argv[1:]
tokenizer = Tokenizer.from_file(tokenizer_path)
tokenizer.no_truncation()
tokenizer.no_padding()
tokenizer.encode_special_tokens = mode == "plain"
with open(text_path, encoding="utf-8", newline="") as file:
    text = file.read()
ids = tokenizer.encode(text, add_special_tokens=mode == "wordpiece").ids
with open(out_path, "wb") as file:
    array.array("i", ids).tofile(file)
with open(out_path + ".txt", "w", encoding="utf-8", newline="") as file:
    file.write(tokenizer.decode(ids[::-1], skip_special_tokens=True))
