"""Records what torch autograd makes of chats.jsonl, for TorchLossTests: 50 steps of LoRA training.

usage: record_torch_losses.py torch_lora_steps.py MLX_DIR > torch-smollm2.json
torch_lora_steps.py is the reference trainer of this project's peers; MLX_DIR is the default model
(circadia model pull smollm2-135m). Needs torch, transformers, safetensors and numpy.

The initial adapter is a formula that the test computes too: element i of tensor number t (blocks in
order, in each one q k v o gate up down, of each a then b) is u = 2*hash(t, i) - 1 times 1/sqrt(inputs)
for a and times 0.001 for b. Gradients of the first step are recorded by their norm and their products
with two fixed vectors; they are taken in float64, because torch's own f32 is off by up to 2e-3.
"""
import json, math, os, subprocess, sys, tempfile
import numpy as np, safetensors.numpy as st
from transformers import AutoTokenizer

STEPS, BATCH, RATE, RANK, SCALE, LAYERS = 50, 2, 1e-4, 8, 20.0, 16
script, model = sys.argv[1], sys.argv[2]
chats = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'chats.jsonl')
c = json.load(open(f'{model}/config.json'))
hidden, inner, blocks = c['hidden_size'], c['intermediate_size'], c['num_hidden_layers']
head = c.get('head_dim') or hidden // c['num_attention_heads']
q, kv = head * c['num_attention_heads'], head * c['num_key_value_heads']
modules = {'self_attn.q_proj': (hidden, q), 'self_attn.k_proj': (hidden, kv), 'self_attn.v_proj': (hidden, kv),
           'self_attn.o_proj': (q, hidden), 'mlp.gate_proj': (hidden, inner), 'mlp.up_proj': (hidden, inner),
           'mlp.down_proj': (inner, hidden)}

def uniform(tensor, count):
    """2*hash - 1 for the first `count` elements of a tensor, in float64."""
    x = (np.arange(count, dtype=np.uint64) + np.uint64(tensor) * np.uint64(0x100000001)) & np.uint64(0xffffffff)
    for shift, factor in ((16, 0x7feb352d), (15, 0x846ca68b)):
        x ^= x >> np.uint64(shift)
        x = (x * np.uint64(factor)) & np.uint64(0xffffffff)
    x ^= x >> np.uint64(16)
    return x.astype(np.float64) / 2 ** 31 - 1

adapter, names = {}, []
for block in range(blocks - LAYERS, blocks):
    for module, (rows, columns) in modules.items():
        for leaf, shape, bound in (('lora_a', (rows, RANK), 1 / math.sqrt(rows)), ('lora_b', (RANK, columns), 0.001)):
            name = f'model.layers.{block}.{module}.{leaf}'
            values = uniform(len(names), shape[0] * shape[1]) * bound
            adapter[name] = values.astype(np.float32).reshape(shape)
            names.append(name)

with tempfile.TemporaryDirectory() as folder:
    st.save_file(adapter, f'{folder}/adapters.safetensors')
    config = {'fine_tune_type': 'lora', 'num_layers': LAYERS, 'lora_parameters': {'rank': RANK, 'scale': SCALE, 'dropout': 0.0}}
    json.dump(config, open(f'{folder}/adapter_config.json', 'w'))
    def train(script, steps):
        run = subprocess.run([sys.executable, script, model, folder, chats, '--steps', str(steps), '--batch', str(BATCH),
                              '--lr', str(RATE), '--grads', f'{folder}/grads'], check=True, stdout=subprocess.PIPE, text=True)
        return [json.loads(l) for l in run.stdout.splitlines() if l.startswith('{')]

    losses = train(script, STEPS)
    with open(f'{folder}/double.py', 'w') as f:
        f.write(open(script).read().replace('.float()', '.double()').replace(
            'cfg, w = ', 'torch.set_default_dtype(torch.float64); cfg, w = ', 1))
    train(f'{folder}/double.py', 1)
    grads = st.load_file(f'{folder}/grads')

tk = AutoTokenizer.from_pretrained(model)
render = lambda m, gen=False: tk(tk.apply_chat_template(m, tokenize=False, add_generation_prompt=gen), add_special_tokens=False).input_ids
rows = []
for line in open(chats):
    messages = json.loads(line)['messages']
    ids, scored = render(messages), []
    for i, message in enumerate(messages):
        if message['role'] == 'assistant':
            start = len(render(messages[:i], True))
            scored.append([start, ids.index(tk.eos_token_id, start) + 1])
    rows.append({'ids': ids, 'scored': scored})

gradients = {}
for number, name in enumerate(names):
    g = grads[name].astype(np.float64).ravel()
    gradients[name] = [float(np.linalg.norm(g)), float(g @ uniform(1000 + number, g.size)), float(g @ uniform(2000 + number, g.size))]
json.dump({'steps': STEPS, 'batch': BATCH, 'learningRate': RATE, 'rank': RANK, 'scale': SCALE, 'layers': LAYERS, 'rows': rows,
           'losses': [l['loss'] for l in losses], 'tokens': [l['tokens'] for l in losses], 'gradients': gradients}, sys.stdout, indent=None)
