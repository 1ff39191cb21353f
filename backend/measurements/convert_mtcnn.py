"""Write the networks of the MTCNN detector as ONNX files, from facenet-pytorch's weights.

The files are part of the project (``model/mtcnn/``), so this is needed only to check where they
come from. Example: python backend/measurements/convert_mtcnn.py --out model/mtcnn
"""

import argparse
import warnings
from pathlib import Path

import onnx
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from backend.console.cli import run
from utils.model.export import strip_exporter_notes
from utils.paths import MTCNN_FOLDER

_NETWORKS = {"pnet": (PNet, 12), "rnet": (RNet, 24), "onet": (ONet, 48)}


def convert(name: str, path: Path) -> None:
    """Write one network; P-Net takes pictures of any size, the others any number of crops.

    Args:
        name: ``pnet``, ``rnet`` or ``onet``.
        path: The ``.onnx`` file.
    """
    network, side = _NETWORKS[name]
    picture = (
        torch.zeros(2, 3, 4 * side, 5 * side) if name == "pnet" else torch.zeros(2, 3, side, side)
    )
    dynamic = {0: "n", 2: "height", 3: "width"} if name == "pnet" else {0: "n"}
    outputs = (
        ["shifts", "points", "probabilities"] if name == "onet" else ["shifts", "probabilities"]
    )
    with warnings.catch_warnings():
        # The newer exporter can't leave the size of P-Net's pictures open.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network().eval(), (picture,), path, input_names=["pixels"], output_names=outputs,
            dynamic_axes={"pixels": dynamic}, opset_version=17, dynamo=False,
        )  # fmt: skip
    made = onnx.load(path)
    strip_exporter_notes(made)
    onnx.save(made, path)


def main() -> int:
    """Run the program and return its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=MTCNN_FOLDER, help="folder")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name in _NETWORKS:
        convert(name, args.out / f"{name}.onnx")
        print(args.out / f"{name}.onnx")
    return 0


if __name__ == "__main__":
    run(main)
