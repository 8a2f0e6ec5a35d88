"""Make the stored files of this folder from files that the test program wrote.

SNNCORE_WRITE_SAMPLES=samples test_format && python make.py samples

Needs the packages `safetensors` and `numpy`. First it opens every sample with them and compares what they
list with the document inside, so it is also the check that any safetensors reader can open a `.snn` file.
"""

import json
import struct
import sys
from pathlib import Path

from safetensors import safe_open
from safetensors.numpy import save_file

HERE = Path(__file__).parent
DTYPES = {
    "I8": "int8",
    "U8": "uint8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "U64": "uint64",
    "F32": "float32",
    "F64": "float64",
}


def split(file: bytes) -> tuple[dict, dict, bytes]:
    (length,) = struct.unpack("<Q", file[:8])
    header = json.loads(file[8 : 8 + length])
    return header, json.loads(header["__metadata__"]["snncore"]), file[8 + length :]


def join(header: dict, document: dict, data: bytes) -> bytes:
    header["__metadata__"]["snncore"] = json.dumps(document)
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)
    return struct.pack("<Q", len(text)) + text + data


def check_opens(path: Path) -> None:
    header, document, _ = split(path.read_bytes())
    with safe_open(path, framework="np") as file:
        assert json.loads(file.metadata()["snncore"]) == document
        assert set(file.keys()) == set(header) - {"__metadata__"}
        for name in file.keys():
            tensor = file.get_tensor(name)
            assert list(tensor.shape) == header[name]["shape"], name
            assert str(tensor.dtype) == DTYPES[header[name]["dtype"]], name
        held = {name for name in file.keys() if not name.startswith("pad.")}
        nodes = document["graph"]["nodes"]
        if document["format"] == 1:
            assert held == {t for node in nodes for t in node["tensors"].values()}
        assert all(any(name.startswith(f"{node['name']}.") for node in nodes) for name in held)
    print(f"{path.name}: {len(header) - 1} tensors open")


def resave(source: Path, target: Path) -> None:
    """As somebody else would write it: no padding, another order, nothing aligned."""
    with safe_open(source, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys() if not name.startswith("pad.")}
        save_file(tensors, target, metadata=file.metadata())
    target.chmod(0o644)


def hostile(valid: bytes) -> dict[str, bytes]:
    files = {}

    def changed(name, change):
        header, document, data = split(valid)
        files[name] = join(header, document, change(header, document, data) or data)

    files["truncated"] = valid[: len(valid) // 2]
    files["header_length"] = struct.pack("<Q", 1 << 40) + valid[8:]
    files["text"] = b"Dear reader, this is a letter and not a network.\n"
    files["no_document"] = (lambda text: struct.pack("<Q", len(text)) + text)(
        b'{"__metadata__":{"format":"pt"}}'
    )
    files["deep"] = (lambda text: struct.pack("<Q", len(text)) + text)(b'{"a":' * 50 + b"1" + b"}" * 50)
    changed("newer_format", lambda h, d, b: d.update(format=3))
    changed("overlap", lambda h, d, b: h["fc.scale"].update(data_offsets=[0, 32]))
    changed("bytes_at_the_end", lambda h, d, b: b + b"\0")
    changed("cycle", lambda h, d, b: d["graph"]["nodes"][0].update(inputs=["fc.lif"]))
    changed("unknown_attribute", lambda h, d, b: d["graph"]["nodes"][0]["attrs"].update(spin=1))
    changed("unproven_range", lambda h, d, b: d["graph"]["edges"]["fc"].update(range=[-1, 1]))

    def nan_scale(h, d, b):
        begin = h["fc.scale"]["data_offsets"][0]
        return b[:begin] + struct.pack("<d", float("nan")) + b[begin + 8 :]

    changed("nan_scale", nan_scale)
    return files


def main() -> None:
    samples = Path(sys.argv[1])
    for path in sorted(samples.glob("*.snn")):
        check_opens(path)
    resave(samples / "image_net.1.snn", HERE / "valid_by_safetensors.snn")
    for name, file in hostile((samples / "exact_net.1.snn").read_bytes()).items():
        (HERE / f"{name}.snn").write_bytes(file)


if __name__ == "__main__":
    main()
