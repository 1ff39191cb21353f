from .attention import (
    CBAM as CBAM,
    ChannelAttention as ChannelAttention,
    SpatialAttention as SpatialAttention,
)
from .blocks import (
    GlobalAveragePool as GlobalAveragePool,
    check_minimum as check_minimum,
    check_multiple as check_multiple,
    conv_bn_relu as conv_bn_relu,
    conv_stages as conv_stages,
)
from .face_kernels import FaceKernels as FaceKernels
from .pretrained import with_weights as with_weights
