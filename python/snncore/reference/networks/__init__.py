"""The networks of QP-SNN and Q-SNN as those papers define them, ready to train, prune and convert.

>>> net = vgg16(10, scheme=qp_snn(4))
>>> small = resnet20(100, scheme=qp_snn(4), compress_rate=[0.1] + [0.35] * 3 + [0.75] * 16)
>>> net = resnet19(10, scheme=q_snn(2))

A `Scheme` says what is quantised. `compress_rate` gives the share of channels that pruning removes, layer by
layer: of n channels ``int(n * (1 - rate))`` stay. `width` multiplies all channels before that.
"""

from .resnet19 import resnet19
from .resnet20 import resnet20
from .scheme import Scheme, float_snn, q_snn, qp_snn
from .sew_resnet18 import sew_resnet18
from .vgg16 import vgg16
from .vggsnn import vggsnn

__all__ = [
    "Scheme",
    "float_snn",
    "q_snn",
    "qp_snn",
    "resnet19",
    "resnet20",
    "sew_resnet18",
    "vgg16",
    "vggsnn",
]
