"""Opens a checkpoint with numpy alone, checks its checksum, and prints what it holds.

    pip install numpy
    python open_checkpoint.py runs/NAME/checkpoint.safetensors
"""

import json
import sys
import zlib

import numpy as np

with open(sys.argv[1], "rb") as file:
    data = file.read()

# Eight bytes with the length of the header, the header, the tensors.
start = 8 + int.from_bytes(data[:8], "little")
header = json.loads(data[8:start])
metadata = header.pop("__metadata__")
assert (metadata["format"], metadata["version"]) == ("nn.checkpoint", "1"), metadata

# The CRC-32 of the file in which eight zeros stand for it.
key = b'"checksum":"'
at = data.index(key) + len(key)
checksum = zlib.crc32(data[:at] + b"00000000" + data[at + 8 :])
assert f"{checksum:08x}" == metadata["checksum"], "the file is damaged"

tensors = {}
for name, row in header.items():
    begin, end = row["data_offsets"]
    values = np.frombuffer(data[start + begin : start + end], "<f4")
    tensors[name] = values.reshape(row["shape"])

run = json.loads(metadata["run"])
notes = json.loads(metadata["notes"])
print("steps:", metadata["steps"], "epochs:", len(run["history"]["epochs"]))
print(notes["settings"])
for name, tensor in tensors.items():
    print(f"{name:32} {str(tensor.shape):12} from {tensor.min():.4f} to {tensor.max():.4f}")
