"""The three networks of MTCNN, with the weights that the facenet-pytorch package carries.

Layers and names follow facenet-pytorch (MIT licence, https://github.com/timesler/facenet-pytorch).
Its code is not imported: it would load torchvision, which more than doubles the start-up time of a
program that looks at one photo.
"""

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from utils.errors import DetectorError


class PNet(nn.Module):
    """Proposes candidates: a face classifier for 12x12 pixels, slid over the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 10, 3), nn.PReLU(10)
        self.pool1 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.prelu3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.conv4_1, self.conv4_2 = nn.Conv2d(32, 2, 1), nn.Conv2d(32, 4, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map ``(1, 3, H, W)`` to face probabilities ``(h, w)`` and box shifts ``(4, h, w)``."""
        x = self.pool1(self.prelu1(self.conv1(x)))
        x = self.prelu3(self.conv3(self.prelu2(self.conv2(x))))
        return self.conv4_1(x).softmax(1)[0, 1], self.conv4_2(x)[0]


class RNet(nn.Module):
    """Refines candidates of 24x24 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 28, 3), nn.PReLU(28)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(28, 48, 3), nn.PReLU(48)
        self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv3, self.prelu3 = nn.Conv2d(48, 64, 2), nn.PReLU(64)
        self.dense4, self.prelu4 = nn.Linear(576, 128), nn.PReLU(128)
        self.dense5_1, self.dense5_2 = nn.Linear(128, 2), nn.Linear(128, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map ``(N, 3, 24, 24)`` to face probabilities ``(N,)`` and box shifts ``(N, 4)``."""
        x = self.pool1(self.prelu1(self.conv1(x)))
        x = self.pool2(self.prelu2(self.conv2(x)))
        x = self.prelu3(self.conv3(x)).permute(0, 3, 2, 1).flatten(1)
        x = self.prelu4(self.dense4(x))
        return self.dense5_1(x).softmax(1)[:, 1], self.dense5_2(x)


class ONet(nn.Module):
    """Decides about candidates of 48x48 pixels and finds five landmarks."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 32, 3), nn.PReLU(32)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(32, 64, 3), nn.PReLU(64)
        self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv3, self.prelu3 = nn.Conv2d(64, 64, 3), nn.PReLU(64)
        self.pool3 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.conv4, self.prelu4 = nn.Conv2d(64, 128, 2), nn.PReLU(128)
        self.dense5, self.prelu5 = nn.Linear(1152, 256), nn.PReLU(256)
        self.dense6_1, self.dense6_2 = nn.Linear(256, 2), nn.Linear(256, 4)
        self.dense6_3 = nn.Linear(256, 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map ``(N, 3, 48, 48)`` to probabilities ``(N,)``, shifts ``(N, 4)``, points ``(N, 10)``.

        The points are shares of the box: five x, then five y.
        """
        x = self.pool1(self.prelu1(self.conv1(x)))
        x = self.pool2(self.prelu2(self.conv2(x)))
        x = self.pool3(self.prelu3(self.conv3(x)))
        x = self.prelu4(self.conv4(x)).permute(0, 3, 2, 1).flatten(1)
        x = self.prelu5(self.dense5(x))
        return self.dense6_1(x).softmax(1)[:, 1], self.dense6_2(x), self.dense6_3(x)


def load_networks() -> tuple[PNet, RNet, ONet]:
    """Return the three networks with their weights, in evaluation mode.

    Raises:
        DetectorError: The facenet-pytorch package or its weights are not installed.
    """
    spec = find_spec("facenet_pytorch")
    if spec is None or not spec.submodule_search_locations:
        raise DetectorError(
            "MTCNN's weights come with the package facenet-pytorch, which is not installed: "
            "pip install 'facenet-pytorch<2.6'"
        )
    folder = Path(spec.submodule_search_locations[0]) / "data"
    networks = PNet(), RNet(), ONet()
    for network, name in zip(networks, ("pnet", "rnet", "onet"), strict=True):
        path = folder / f"{name}.pt"
        if not path.is_file():
            raise DetectorError(f"{path} is missing; install facenet-pytorch again")
        network.load_state_dict(torch.load(path, weights_only=True))
        network.eval()
    return networks
