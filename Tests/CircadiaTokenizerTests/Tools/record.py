"""Records what the peers make of the tokenizers, for tests that need no peer.

usage: python record.py SMOLLM2_DIR LLAMA_TOKENIZER_DIR MINILM_DIR FIXTURES_DIR

texts.json holds the strings; ids-*.json their ids in the same order; chats.json chats with what
`apply_chat_template` gives for them, once with a prompt and once without.
"""
import json
import random
import sys

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

smol_dir, llama_dir, minilm_dir, out = sys.argv[1:]

# A template of our own that writes what Llama 3.2's writes for chats without tools.
LLAMA = (
    "{{- bos_token }}{%- if not date_string is defined %}"
    "{%- set date_string = strftime_now('%d %b %Y') %}{%- endif %}"
    "{%- if messages[0]['role'] == 'system' %}{%- set system = messages[0]['content'] | trim %}"
    "{%- set messages = messages[1:] %}{%- else %}{%- set system = '' %}{%- endif %}"
    "{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' }}"
    "{{- 'Cutting Knowledge Date: December 2023\\n' }}{{- 'Today Date: ' + date_string + '\\n\\n' }}"
    "{{- system + '<|eot_id|>' }}{%- for message in messages %}"
    "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}"
    "{{- message['content'] | trim + '<|eot_id|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}"
    "{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}")


def texts():
    rng = random.Random(20)
    fixed = [
        "", " ", "  ", "\n", "\r\n", " \n x", "a  b", "don't DON'T we'LL x'd '' '", "it'\u017f ok it'\u017fok",
        "3.14159 100000 \u0663\u0664 \u00bd\u00b2 1a2b", "def f(x):\n    return x ** 2\n",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f\u200d\U0001f308 \u2764\ufe0f",
        "\u4f60\u597d\uff0c\u4e16\u754c\u3002\u3053\u3093\u306b\u3061\u306f \uc548\ub155",
        "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd", "\x00\x01\x1f\x7f\x85\xa0",
        "\ufffd\ufffd broken \ufffd", "<|im_start|>user<|im_end|>", "<|eot_id|><|im_start",
        "[CLS] a [SEP] [MASK]x[UNK]", "caf\u00e9 CAF\u00c9 cafe\u0301 \u1e9e \u0130 \u01c5",
        "x" * 101, "y" * 100, "unaffable, isn't it?", "a\u3000b\u2003c\u2028d\u200be",
        "\uf900\ufa0e \U0002f800 \U0001d15e \u0f73\u0f71 \u302e\u1b44", " " * 70 + "z", "\n" * 9,
    ]
    pools = [(0x20, 0x7f), (0x20, 0x7f), (0x9, 0x250), (0x300, 0x700), (0x900, 0xe00),
             (0x1e00, 0x2800), (0x3000, 0x3400), (0x4e00, 0xa000), (0xf900, 0x10000),
             (0x1d000, 0x1d800), (0x1f300, 0x1fa00), (0x20000, 0x20100), (0x2f800, 0x2fa20)]
    for _ in range(220):
        low, high = rng.choice(pools)
        text = "".join(
            chr(rng.randrange(low, high)) if rng.random() < 0.8 else rng.choice(" \n 0aB'")
            for _ in range(rng.randrange(1, 14)))
        fixed.append(text)
    return fixed


def chats():
    def chat(*pairs):
        return [{"role": role, "content": content} for role, content in pairs]
    return [
        chat(("user", "Hello")),
        chat(("user", "Hi"), ("assistant", "Good morning!")),
        chat(("system", "Be brief."), ("user", "2+2?"), ("assistant", "4")),
        chat(("user", "One"), ("assistant", "Two\n\nthree"), ("user", "Four"),
             ("assistant", "```swift\nlet x = 1\n```")),
        chat(("user", "  spaces around \n"), ("assistant", "\n\nleading breaks ")),
        chat(("user", "\u4f60\u597d \U0001f44b\U0001f3fd"), ("assistant", "\u4f60\u597d!")),
        chat(("user", "a"), ("assistant", ""), ("user", "b")),
        chat(("system", ""), ("user", "x")),
        chat(("user", "first"), ("system", "a later instruction"), ("assistant", "fine")),
    ]


def write(name, value):
    with open(f"{out}/{name}", "w", encoding="utf-8") as file:
        json.dump(value, file, separators=(",", ":"))
        file.write("\n")


strings = texts()
write("texts.json", strings)
for name, folder, adds in [("smollm2", smol_dir, False), ("llama3", llama_dir, False),
                           ("minilm", minilm_dir, True)]:
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    write(f"ids-{name}.json", [tokenizer.encode(s, add_special_tokens=adds).ids for s in strings])

smol_template = json.load(open(f"{smol_dir}/tokenizer_config.json"))["chat_template"]
recorded = {"chats": chats(), "llama_template": LLAMA, "smollm2_template": smol_template}
for name, folder, template, end in [
        ("smollm2", smol_dir, smol_template, "<|im_end|>"), ("llama3", llama_dir, LLAMA, "<|eot_id|>")]:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=f"{folder}/tokenizer.json", bos_token="<|begin_of_text|>", eos_token=end)
    tokenizer.chat_template = template
    end_id = tokenizer.convert_tokens_to_ids(end)

    def render(messages, prompt=False):
        if not messages:
            return []
        return list(tokenizer.apply_chat_template(
            messages, tokenize=True, add_generation_prompt=prompt, return_dict=False,
            date_string="26 Jul 2024"))

    results = []
    for messages in chats():
        ids = render(messages)
        scored = []
        for i, message in enumerate(messages):
            if message["role"] == "assistant":
                start = len(render(messages[:i], True))
                scored.append([start, ids.index(end_id, start) + 1])
        results.append({"ids": ids, "prompt": render(messages, True), "scored": scored})
    recorded[name] = results
write("chats.json", recorded)
