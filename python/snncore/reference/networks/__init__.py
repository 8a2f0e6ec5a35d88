"""Networks as their papers define them, ready to train, prune and convert: QP-SNN, Q-SNN, transformers.

>>> net = vgg16(10, scheme=qp_snn(4))
>>> small = resnet20(100, scheme=qp_snn(4), compress_rate=[0.1] + [0.35] * 3 + [0.75] * 16)
>>> net = resnet19(10, scheme=q_snn(2))
>>> net = snn_vit("4-384", scheme=transformer_scheme(1))
>>> net = spikformer("8-512", 1000, pools=IMAGENET_POOLS)
>>> net = bestformer("4-384")

A `Scheme` says what is quantised. `compress_rate` gives the share of channels that pruning removes, layer by
layer: of n channels ``int(n * (1 - rate))`` stay. `width` multiplies all channels before that.
"""

from .bestformer import bestformer, bestformer_scheme
from .patches import CIFAR_POOLS, IMAGENET_POOLS, Branch, Stage, split
from .qkformer import qkformer
from .resnet19 import resnet19
from .resnet20 import resnet20
from .scheme import Scheme, float_snn, q_snn, qp_snn
from .sew_resnet18 import sew_resnet18
from .spiking_transformers import snn_vit, spike_driven_transformer, spikformer
from .transformer import transformer_scheme
from .vgg16 import vgg16
from .vggsnn import vggsnn

__all__ = [
    "CIFAR_POOLS",
    "IMAGENET_POOLS",
    "Branch",
    "Scheme",
    "Stage",
    "bestformer",
    "bestformer_scheme",
    "float_snn",
    "q_snn",
    "qkformer",
    "qp_snn",
    "resnet19",
    "resnet20",
    "sew_resnet18",
    "snn_vit",
    "spike_driven_transformer",
    "spikformer",
    "split",
    "transformer_scheme",
    "vgg16",
    "vggsnn",
]
