"""Networks of PyTorch in files, read without running code from them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from snncore import _core

#: Endings of NIR files, which `snncore.verify` reads itself.
NIR = (".nir", ".h5", ".hdf5")


def load_origin(path: str) -> Any:
    """Give what `snncore.verify` compares a model with: the path of a NIR file, else `load_module`."""
    return path if Path(path).suffix.lower() in NIR else load_module(path)


def load_module(path: str) -> Any:
    """Read a network stored with ``torch.save(network)``; only classes of torch.nn and snncore.reference.

    Raises
    ------
    FileNotFoundError
        No file at this path.
    ValueError
        Something else is stored there.
    snncore.Error
        The file needs classes that cannot be loaded safely, such as a spiking framework's.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(2, "No such file or directory", path)
    import torch

    from snncore import reference

    layers = [c for c in vars(torch.nn).values() if isinstance(c, type) and issubclass(c, torch.nn.Module)]
    ours = [c for name in reference.__all__ if isinstance(c := getattr(reference, name), type)]
    try:
        with torch.serialization.safe_globals([*layers, *ours]):
            content = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as why:  # whatever the unpickler meets in a file that is none
        _refuse_foreign(path, str(why))
        detail = str(why).splitlines()[0] if str(why) else type(why).__name__
        raise ValueError(f"'{path}' is not a network stored with torch.save(network) ({detail})") from None
    if not isinstance(content, torch.nn.Module):
        raise ValueError(
            f"'{path}' holds {type(content).__name__}, not a network; store the whole of it with "
            "torch.save(network, path)"
        )
    return content


def _refuse_foreign(path: str, why: str) -> None:
    """Name the class that the unpickler did not know, and what to do for its package."""
    found = re.search(r"GLOBAL ([\w.]+)", why)
    if found is None:
        return
    name = found.group(1)
    package = name.partition(".")[0]
    importer = f"from_{package}" if package in _FRAMEWORKS else "from_torch"
    raise _core.Error(
        f"'{path}' needs the class {name}, whose code would run while it is read: a file could run anything "
        f"that way; in Python, make the network and load its weights (load_state_dict), then "
        f"snncore.{importer}(network, example).save('net.snn')"
    )


_FRAMEWORKS = ("spikingjelly", "snntorch", "sinabs", "norse")
