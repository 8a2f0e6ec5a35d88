"""The snncore engine. Use it through the package snncore."""

from collections.abc import Callable, Mapping, Sequence
import enum
from typing import Annotated

import numpy
from numpy.typing import NDArray


class Error(RuntimeError):
    """
    What snncore cannot do; the message says what was expected and what came.
    """

class FormatError(Error):
    """
    A file or bytes that are not valid; the message names the key or the offset.
    """

def version() -> str: ...

def isa() -> str: ...

def build_info() -> str: ...

FORMAT_VERSION: int = 2

class BitTensor:
    """Packed bits; the last axis is packed. Immutable, shared by threads."""

    @staticmethod
    def pack(array: Annotated[NDArray[numpy.bool_], dict(order='C', device='cpu', writable=False)] | Annotated[NDArray[numpy.uint8], dict(order='C', device='cpu', writable=False)] | Annotated[NDArray[numpy.int8], dict(order='C', device='cpu', writable=False)] | Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)]) -> BitTensor:
        """Non-zero elements become set bits."""

    @staticmethod
    def from_words(words: Annotated[NDArray[numpy.uint64], dict(order='C', device='cpu', writable=False)], shape: Sequence[int]) -> BitTensor:
        """Copies packed words; bits past the end of a row must be zero."""

    @property
    def shape(self) -> list[int]: ...

    def words(self) -> Annotated[NDArray[numpy.uint64], dict(writable=False)]:
        """The packed words, read-only, without a copy."""

    def unpack(self) -> NDArray[numpy.bool_]:
        """A new array of bool."""

    def popcount(self) -> int:
        """The number of set bits."""

class HeadTensor:
    """Bits [..., tokens, dim], or token-packed [..., dim, tokens]."""

    def __init__(self, bits: BitTensor, token_packed: bool) -> None: ...

class AttentionOrder(enum.Enum):
    AUTO = 0

    KV_FIRST = 1

    QK_FIRST = 2

def attention(q: HeadTensor, k: HeadTensor, v: HeadTensor, order: AttentionOrder, threads: int) -> NDArray[numpy.int32]:
    """(q k^T) v of every head, exact."""

def attention_map(q: HeadTensor, k: HeadTensor, threshold: int, threads: int) -> BitTensor:
    """q k^T >= threshold of every head."""

def attention_apply(map: BitTensor, v: HeadTensor, threads: int) -> NDArray[numpy.int32]:
    """map v of every head, exact."""

def lif_int(x: Annotated[NDArray[numpy.int8], dict(order='C', device='cpu', writable=False)] | Annotated[NDArray[numpy.int16], dict(order='C', device='cpu', writable=False)] | Annotated[NDArray[numpy.int32], dict(order='C', device='cpu', writable=False)], channels_last: bool, *, theta: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], psi: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, profile: str, state: str, leak: str, leak_param: int, reset: str, leak_at_store: bool, threads: int, membranes: bool) -> tuple[BitTensor, NDArray[numpy.int32] | None]:
    """Spikes and, where asked for, membranes of integer neurons."""

def lif(x: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], channels_last: bool, *, decay: float, input_gain: float, threshold: float, reset: str, strict: bool, threads: int) -> BitTensor:
    """Spikes of float32 neurons."""

class PortInfo:
    @property
    def name(self) -> str: ...

    @property
    def dtype(self) -> str: ...

    @property
    def shape(self) -> list[int]: ...

    @property
    def layout(self) -> str: ...

    @property
    def zero_point(self) -> list[int]: ...

    @property
    def scale(self) -> float: ...

class LayerInfo:
    @property
    def name(self) -> str: ...

    @property
    def op(self) -> str: ...

    @property
    def neuron(self) -> str: ...

    @property
    def shape(self) -> list[int]: ...

    @property
    def weight_bits(self) -> int: ...

    @property
    def state_bits(self) -> int: ...

    @property
    def bytes(self) -> int: ...

    @property
    def kept_channels(self) -> int: ...

class PreprocessInfo:
    def __init__(self, height: int, width: int, crop: str, color: str) -> None: ...

    @property
    def height(self) -> int: ...

    @property
    def width(self) -> int: ...

    @property
    def crop(self) -> str: ...

    @property
    def color(self) -> str: ...

class Model:
    """A model as a file holds it: immutable, shared by threads."""

    @staticmethod
    def load(path: str) -> Model: ...

    @staticmethod
    def from_bytes(data: bytes) -> Model: ...

    def save(self, path: str) -> None: ...

    def to_bytes(self, format: int = 2) -> bytes: ...

    @property
    def inputs(self) -> list[PortInfo]: ...

    @property
    def outputs(self) -> list[PortInfo]: ...

    @property
    def layers(self) -> list[LayerInfo]: ...

    @property
    def timesteps(self) -> int: ...

    @property
    def labels(self) -> list[str]: ...

    @property
    def preprocess(self) -> PreprocessInfo | None: ...

    @property
    def provenance(self) -> dict[str, str]: ...

    @property
    def file_bytes(self) -> int: ...

    @property
    def file_format(self) -> int: ...

    def document(self) -> str: ...

class Mode(enum.Enum):
    SEQUENCE = 0

    STREAM = 1

class MemoryNode:
    @property
    def name(self) -> str: ...

    @property
    def weights(self) -> int: ...

    @property
    def membranes(self) -> int: ...

    @property
    def history(self) -> int: ...

class Memory:
    """What a run holds in memory, in bytes."""

    @property
    def nodes(self) -> list[MemoryNode]: ...

    @property
    def weights(self) -> int: ...

    @property
    def membranes(self) -> int: ...

    @property
    def history(self) -> int: ...

    @property
    def values(self) -> int: ...

    @property
    def workers(self) -> int: ...

def set_skips(on: bool) -> None:
    """For measuring: whether every run leaves out what changes nothing."""

class Program:
    """A planned model: immutable, shared by threads."""

    def __init__(self, model: Model, *, mode: Mode, timesteps: int, batch: int, threads: int, layout: str, record: Sequence[str], outputs: bool = True) -> None: ...

    @property
    def session_bytes(self) -> int: ...

    @property
    def weight_bytes(self) -> int: ...

    def memory(self) -> Memory: ...

class Session:
    """State and scratch of one stream of input: one thread at a time."""

    def __init__(self, program: Program) -> None: ...

    def run(self, inputs: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)] | Annotated[NDArray[numpy.uint8], dict(order='C', device='cpu', writable=False)] | Annotated[NDArray[numpy.bool_], dict(order='C', device='cpu', writable=False)] | BitTensor]) -> None: ...

    def output(self, index: int = 0) -> NDArray[numpy.float32]: ...

    def packed_output(self, index: int = 0) -> BitTensor: ...

    def recordings(self) -> list[tuple[str, BitTensor | NDArray[numpy.int32] | NDArray[numpy.int64] | NDArray[numpy.float32]]]: ...

    def time_layers(self, on: bool) -> None: ...

    def layer_times(self) -> list[tuple[str, list[str], float, float]]: ...

    def push_events(self, x: Annotated[NDArray[numpy.uint16], dict(shape=(None,), order='C', device='cpu', writable=False)], y: Annotated[NDArray[numpy.uint16], dict(shape=(None,), order='C', device='cpu', writable=False)], p: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], t: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], *, window_us: int, count: int, clock_bits: int, max_gap: int, on_step: Callable[[], None] | None) -> tuple[int, int, int]: ...

    def flush_events(self, on_step: Callable[[], None] | None) -> tuple[int, int, int]: ...

    def advance_events(self, now: int, on_step: Callable[[], None] | None) -> tuple[int, int, int]: ...

    def reset(self) -> None: ...

    @property
    def steps(self) -> int: ...

    def save_state(self) -> bytes: ...

    def load_state(self, state: bytes) -> None: ...

class GraphBuilder:
    """Makes a model from code: one thread at a time."""

    def __init__(self) -> None: ...

    def input(self, name: str, dtype: str, shape: Sequence[int], *, zero_point: Sequence[int], scale: float, layout: str) -> str: ...

    def conv2d(self, name: str, x: str, weight: Annotated[NDArray[numpy.int8], dict(order='C', device='cpu', writable=False)] | Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], *, encoding: str, bits: int, scale: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, bias: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int], groups: int) -> str: ...

    def linear(self, name: str, x: str, weight: Annotated[NDArray[numpy.int8], dict(order='C', device='cpu', writable=False)] | Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], *, encoding: str, bits: int, scale: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, bias: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None) -> str: ...

    def batch_norm(self, name: str, x: str, gamma: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], beta: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], mean: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], var: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], eps: float) -> str: ...

    def step_gain(self, name: str, x: str, gain: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> str: ...

    def lif(self, name: str, x: str, *, decay: float, input_gain: float, threshold: float, reset: str, strict: bool, profile: str, state: str, leak: str, leak_at_store: bool, theta0: int, unit_bits: int, quantiser: str, alpha: float) -> str: ...

    def lif_int(self, name: str, x: str, *, theta: Annotated[NDArray[numpy.int32], dict(order='C', device='cpu', writable=False)], psi: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, load: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, edges: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, gamma: Annotated[NDArray[numpy.int32], dict(order='C', device='cpu', writable=False)] | None, profile: str, state: str, leak: str, leak_param: int, reset: str, leak_at_store: bool, unit_bits: int, decay: float, threshold: float, input_gain: float, strict: bool) -> str: ...

    def cuba_lif(self, name: str, x: str, *, current_decay: int, decay: int, theta: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], bias: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], input_shift: int) -> str: ...

    def psn(self, name: str, x: str, *, weight: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], bias: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> str: ...

    def neuron(self, name: str, x: str, *, synapse: str, charge: str, fire: str, most: int, voltage: str, reset: str, reset_step: str, correct: bool, floor: str, refractory: str, refractory_steps: int, values: Mapping[str, Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)]]) -> str: ...

    def requant(self, name: str, inputs: Sequence[str], *, factors: Sequence[Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)]], c: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], n: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], wide: bool) -> str: ...

    def residual(self, name: str, x: str, stream: str, *, unit: float) -> str: ...

    def couple(self, name: str, x: str, before: str, now: str) -> str: ...

    def residual_int(self, name: str, inputs: Sequence[str], *, factors: Sequence[Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)]], c: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], n: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], unit: float) -> str: ...

    def saccade(self, name: str, q: str, k: str, *, mode: str, threshold: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], mix: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)] | None) -> str: ...

    def maxpool2d(self, name: str, x: str, *, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]) -> str: ...

    def avgpool2d(self, name: str, x: str, *, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]) -> str: ...

    def add(self, name: str, inputs: Sequence[str]) -> str: ...

    def flatten(self, name: str, x: str) -> str: ...

    def delay(self, name: str, x: str, *, steps: int, shape: Sequence[int], dtype: str) -> str: ...

    def attention(self, name: str, q: str, k: str, v: str, *, heads: int) -> str: ...

    def map_scores(self, name: str, x: str, y: str, *, variant: str, heads: int) -> str: ...

    def map_product(self, name: str, maps: str, x: str, *, variant: str, heads: int) -> str: ...

    def count(self, name: str, x: str, y: str, *, over: str, heads: int) -> str: ...

    def mask(self, name: str, x: str, mask: str) -> str: ...

    def readout(self, name: str, x: str, *, mode: str, scale: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, bias: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None) -> str: ...

    def output(self, name: str, edge: str) -> None: ...

    def shape(self, edge: str) -> list[int]: ...

    def build(self, timesteps: int, *, labels: Sequence[str], preprocess: PreprocessInfo | None, provenance: Mapping[str, str]) -> Model: ...

class BinaryIndex:
    """Codes to search by Hamming distance; adding needs it alone."""

    def __init__(self, bits: int) -> None: ...

    @property
    def bits(self) -> int: ...

    def __len__(self) -> int: ...

    def add(self, codes: BitTensor) -> None: ...

    def search(self, queries: BitTensor, k: int, threads: int) -> tuple[NDArray[numpy.int64], NDArray[numpy.int32]]:
        """Ids and distances of the k nearest codes."""

class Encoder:
    """From vectors to binary codes; immutable."""

    @staticmethod
    def fit(kind: str, vectors: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], bits: int, seed: int, center: bool, iterations: int, width: float) -> Encoder: ...

    @staticmethod
    def from_tensors(kind: str, dim: int, bits: int, tensors: Mapping[str, Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)] | Annotated[NDArray[numpy.int8], dict(order='C', device='cpu', writable=False)] | Annotated[NDArray[numpy.uint64], dict(order='C', device='cpu', writable=False)]]) -> Encoder: ...

    @property
    def kind(self) -> str: ...

    @property
    def dim(self) -> int: ...

    @property
    def bits(self) -> int: ...

    def tensors(self) -> dict[str, object]: ...

    def logits(self, vectors: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], threads: int) -> NDArray[numpy.float32]: ...

    def encode(self, vectors: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], threads: int) -> BitTensor: ...

class Metric(enum.Enum):
    l2 = 0

    cosine = 1

    ip = 2

class Plan(enum.Enum):
    auto = 0

    scan = 1

    multi_table = 2

    mih = 3

class Store(enum.Enum):
    none = 0

    f32 = 1

    f16 = 2

    i8 = 3

class IndexOptions:
    @property
    def dim(self) -> int: ...

    @property
    def bits(self) -> int: ...

    @property
    def metric(self) -> Metric: ...

    @property
    def encoder(self) -> str: ...

    @property
    def seed(self) -> int: ...

    @property
    def tables(self) -> int: ...

    @property
    def key_bits(self) -> int: ...

    @property
    def store(self) -> Store: ...

    @property
    def bytes_first(self) -> bool: ...

class IndexStats:
    @property
    def vectors(self) -> int: ...

    @property
    def removed(self) -> int: ...

    @property
    def segments(self) -> int: ...

    @property
    def bytes(self) -> dict[str, int]: ...

    @property
    def queries(self) -> int: ...

    @property
    def candidates(self) -> int: ...

    @property
    def buckets(self) -> int: ...

class Index:
    """Vectors to search by their codes; whatever changes it needs it alone."""

    def __init__(self, dim: int, bits: int, metric: Metric, encoder: str, seed: int, tables: int, key_bits: int, store: Store, bytes_first: bool) -> None: ...

    @staticmethod
    def open(path: str, mmap: bool, verify: bool) -> Index: ...

    def save(self, path: str) -> None: ...

    @property
    def options(self) -> IndexOptions: ...

    @property
    def fitted(self) -> bool: ...

    @property
    def slots(self) -> int: ...

    def __len__(self) -> int: ...

    def ids(self) -> NDArray[numpy.uint64]: ...

    def fit(self, rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> None: ...

    def fit_with(self, rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], encoder: Encoder) -> None: ...

    def embed(self, rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> NDArray[numpy.float32]: ...

    def add(self, ids: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order='C', device='cpu', writable=False)], rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], threads: int) -> None: ...

    def upsert(self, ids: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order='C', device='cpu', writable=False)], rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], threads: int) -> None: ...

    def remove(self, ids: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> int: ...

    def compact(self) -> None: ...

    def contains(self, id: int) -> bool: ...

    def get(self, ids: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> NDArray[numpy.float32]: ...

    def encode(self, rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> NDArray[numpy.uint64]: ...

    def search(self, queries: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], k: int, probes: int, rerank: int, asymmetric: bool, plan: Plan, ids: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, slots: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, threads: int, max_candidates: int, min_score: float) -> tuple[NDArray[numpy.int64], NDArray[numpy.float32]]: ...

    def range_search(self, queries: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], radius: int, plan: Plan, ids: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, slots: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, threads: int) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64], NDArray[numpy.int32]]: ...

    def stats(self) -> IndexStats: ...
