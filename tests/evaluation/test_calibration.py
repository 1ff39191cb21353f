"""A temperature fitted where some faces are corrupted: honest on faces that a dataset lacks."""

from pathlib import Path

import pytest
import torch
from faces_data import make_face_folder
from torch.nn import functional as F

from backend.measurements.measure_calibration import MeasureCalibrationConfig, measure, parse_args
from utils.errors import ConfigError
from utils.evaluation.calibration import calibrate
from utils.evaluation.mixture import mix_corrupted
from utils.evaluation.predict import predict_logits
from utils.evaluation.split import predict_split
from utils.model.checkpoint import Checkpoint, load_checkpoint
from utils.processing.dataset import FaceDataset
from utils.training.config import TrainConfig
from utils.training.data import load_data
from utils.training.trainer import Trainer

OPTIONS = {
    "model": "se_resnet", "model_args": {"stem": 8, "channels": [8, 16], "blocks": 1},
    "input_size": 32, "batch_size": 24, "epochs": 6, "lr": 0.01, "schedule": "cosine",
    "augmentation": "none", "device": "cpu",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FaceDataset]:
    """A checkpoint that knows the drawn faces well, and its validation faces."""
    folder = tmp_path_factory.mktemp("run")
    data = make_face_folder(folder / "data", sizes={"train": 40, "validation": 40, "test": 8})
    config = TrainConfig.from_flat(OPTIONS | {"data": data})
    splits = load_data(config)
    Trainer(config, splits, out=folder, show_progress=False).fit()
    return folder / "best_model.pth", splits.validation


def calibrated(run: tuple[Path, FaceDataset], mixture: float) -> Checkpoint:
    checkpoint = load_checkpoint(run[0])
    calibrate(checkpoint, run[1], mixture=mixture)
    return checkpoint


def test_a_share_of_the_faces_is_corrupted_the_same_way_every_time(
    run: tuple[Path, FaceDataset],
) -> None:
    network, faces = load_checkpoint(run[0]).build(), run[1]
    clean = predict_logits(network, faces, device=torch.device("cpu"))

    def changed(share: float) -> torch.Tensor:
        return (mix_corrupted(network, faces, clean=clean, share=share) != clean).any(1)

    assert not changed(0).any()
    assert changed(0.25).sum() == 30
    assert changed(1).all()
    assert not (changed(0.25) & ~changed(0.5)).any(), "a larger share contains a smaller one"
    one, two = (mix_corrupted(network, faces, clean=clean, share=0.5) for _ in range(2))
    assert torch.equal(one, two)


def test_confidence_on_corrupted_faces_becomes_honest(run: tuple[Path, FaceDataset]) -> None:
    plain, mixed = calibrated(run, 0), calibrated(run, 0.5)
    assert mixed.heads[0].temperature > plain.heads[0].temperature
    network, faces = plain.build(), run[1]
    clean = predict_logits(network, faces, device=torch.device("cpu"))
    logits = mix_corrupted(network, faces, clean=clean, share=1)
    labels = torch.from_numpy(faces.labels)
    before, after = (
        F.cross_entropy(logits / c.heads[0].temperature, labels) for c in (plain, mixed)
    )
    assert after < before
    assert plain.data["calibration"] == {"faces": 120, "mixture": 0}
    assert mixed.data["calibration"] == {"faces": 120, "mixture": 0.5}


def test_the_threshold_stays_that_of_the_faces_as_they_are(run: tuple[Path, FaceDataset]) -> None:
    mixed = calibrated(run, 0.5)
    probabilities = predict_split(mixed, run[1]).probabilities["labels"]
    assert (probabilities.max(1) < mixed.heads[0].threshold).mean() == pytest.approx(0.1, abs=0.02)


def test_the_program_compares_shares_and_writes_the_chosen_one(
    run: tuple[Path, FaceDataset], tmp_path: Path
) -> None:
    path = run[0]
    data = path.parent / "data"
    rows = measure(MeasureCalibrationConfig(model=path, data=data, mixture=(0, 1), outside=data))
    assert [row.faces for row in rows] == ["validation", "corrupted", "outside"] * 2
    assert [row.mixture for row in rows] == [0, 0, 0, 1, 1, 1]
    assert rows[4].nll < rows[1].nll
    assert all(0 <= row.ece <= 1 and 0 <= row.uncertain <= 1 for row in rows)
    measure(MeasureCalibrationConfig(model=path, data=data, mixture=(0.5,), out=tmp_path / "new"))
    made = load_checkpoint(tmp_path / "new" / "best_model.pth")
    assert made.heads == calibrated(run, 0.5).heads
    assert made.data["calibration"]["mixture"] == made.training["calibration_mixture"] == 0.5
    assert made.metrics["test"]["labels"]["folder"]["images"] == 24


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--mixture", "1.5"], "between 0 and 1"),
        (["--mixture", "0", "1", "--out", "x"], "one share"),
        (["--mixture", "1", "--out", __file__], "is a file"),
    ],
)
def test_impossible_options_are_refused(args: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_args(args)
