"""Convert the networks of the MTCNN detector from facenet-pytorch's weights to ONNX files.

The files are part of the project (``model/mtcnn/``); the program only documents where they come
from. Example: python backend/measurements/convert_mtcnn.py --out model/mtcnn
"""

from backend.console.requirements import ensure

ensure("test", "Converting MTCNN")
ensure("train", "Converting MTCNN")

import argparse
import warnings
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from backend.console.cli import ExitCode, run
from backend.console.options import ArgumentParser, build_config
from utils.files import make_folder
from utils.model.export import strip_exporter_notes
from utils.paths import MTCNN_FOLDER

_NETWORKS = {"pnet": (PNet, 12), "rnet": (RNet, 24), "onet": (ONet, 48)}


@dataclass(frozen=True)
class ConvertMtcnnConfig:
    """Where the files go.

    Attributes:
        out: Folder for ``pnet.onnx``, ``rnet.onnx`` and ``onet.onnx``; created if missing.
    """

    out: Path = MTCNN_FOLDER


def parse_args(argv: list[str] | None = None) -> ConvertMtcnnConfig:
    """Return the configuration that the command line describes."""
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=MTCNN_FOLDER, help="folder for the files")
    return build_config(ConvertMtcnnConfig, vars(parser.parse_args(argv)))


def convert(name: str, path: Path) -> None:
    """Convert one network; P-Net accepts images of any size, the others any number of crops.

    Args:
        name: ``pnet``, ``rnet`` or ``onet``.
        path: The ``.onnx`` file to write.
    """
    network, side = _NETWORKS[name]
    example = (
        torch.zeros(2, 3, 4 * side, 5 * side) if name == "pnet" else torch.zeros(2, 3, side, side)
    )
    dynamic = {0: "n", 2: "height", 3: "width"} if name == "pnet" else {0: "n"}
    outputs = (
        ["shifts", "points", "probabilities"] if name == "onet" else ["shifts", "probabilities"]
    )
    with warnings.catch_warnings():
        # The newer exporter doesn't support P-Net's variable image size.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network().eval(), (example,), path, input_names=["pixels"], output_names=outputs,
            dynamic_axes={"pixels": dynamic}, opset_version=17, dynamo=False,
        )  # fmt: skip
    converted = onnx.load(path)
    strip_exporter_notes(converted)
    onnx.save(converted, path)


def main() -> int:
    """Run the program and return its exit code."""
    config = parse_args()
    make_folder(config.out)
    for name in _NETWORKS:
        path = config.out / f"{name}.onnx"
        convert(name, path)
        print(path)
    return ExitCode.SUCCESS


if __name__ == "__main__":
    run(main)
