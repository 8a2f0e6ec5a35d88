"""All indexes that ann.py knows, by name."""

from __future__ import annotations

from .faiss_indexes import faiss_binary, faiss_flat, faiss_hnsw, faiss_ivf, faiss_lsh
from .graphs import hnswlib, usearch
from .ours import ours
from .subject import Build

SUBJECTS: dict[str, Build] = {
    "snncore-srp-scan": ours("srp", "scan"),
    "snncore-itq-scan": ours("itq", "scan"),
    "snncore-srp-multi_table": ours("srp", "multi_table"),
    "snncore-itq-multi_table": ours("itq", "multi_table"),
    "snncore-mlp-scan": ours("mlp", "scan"),
    "faiss-flat": faiss_flat,
    "faiss-lsh": faiss_lsh,
    "faiss-binaryflat": faiss_binary("flat"),
    "faiss-multihash": faiss_binary("multihash"),
    "faiss-ivf": faiss_ivf,
    "faiss-hnsw": faiss_hnsw,
    "hnswlib": hnswlib,
    "usearch": usearch,
}

#: Where an index is measured unless it is asked for by name: "mlp" is "itq" on the synthetic sets, by its own
#: hold-out, and of the graphs, which take many minutes for a million vectors, one is enough there.
USUALLY = {
    "snncore-mlp-scan": ("mnist",),
    "faiss-hnsw": ("mnist", "synthetic-10k", "synthetic-100k"),
    "usearch": ("mnist", "synthetic-10k", "synthetic-100k"),
}


def subjects_of(dataset: str) -> list[str]:
    """Give the names that are measured on a data set unless others are asked for."""
    return [name for name in SUBJECTS if dataset in USUALLY.get(name, (dataset,))]
