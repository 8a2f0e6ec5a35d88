"""What an index holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class IndexStats:
    """What an index holds and what its searches looked at.

    Attributes
    ----------
    vectors, removed, segments
        Vectors that are there, removed ones whose place is not yet given back, parts of the index.
    bytes
        Of each section (encoder, ids, tombstones, codes, vectors, tables), in memory or in the mapped file.
    queries, candidates, buckets
        Since the index was made or opened: queries answered, codes compared, buckets visited.
    """

    vectors: int
    removed: int
    segments: int
    bytes: dict[str, int]
    queries: int
    candidates: int
    buckets: int

    @property
    def total_bytes(self) -> int:
        """All sections together."""
        return sum(self.bytes.values())
