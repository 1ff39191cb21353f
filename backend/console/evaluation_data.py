"""The labelled split that an evaluation runs on."""

import argparse
from dataclasses import replace

import numpy as np

from utils.evaluation.evaluate import Evaluation, evaluate_split
from utils.model.checkpoint import Checkpoint
from utils.processing.dataset import FaceDataset, load_split
from utils.processing.near_duplicates import find_near_duplicates


class Data:
    """A prepared data folder as models see it; twins are looked for only once.

    Args:
        args: The program's options.
        split: ``train``, ``validation`` or ``test``.
    """

    def __init__(self, args: argparse.Namespace, split: str) -> None:
        self._args, self.split = args, split
        self._twins: np.ndarray | None = None

    def folder(self, checkpoint: Checkpoint) -> FaceDataset:
        """Return the split as a model sees it, in memory."""
        args = self._args
        folder = load_split(
            args.data,
            self.split,
            preprocessing=checkpoint.preprocessing,
            classes=checkpoint.classes,
            votes_file=args.ferplus,
        )
        folder.cache(limit_gb=4)
        return folder

    def answers(self, checkpoint: Checkpoint) -> Evaluation:
        """Return a model's answers on the split."""
        return evaluate_split(checkpoint, self.folder(checkpoint), average=self._args.average)

    def evaluate(self, checkpoint: Checkpoint) -> Evaluation:
        """Return a model's answers on the split, its twins in the training split marked."""
        if self._twins is None and self.split != "train" and (self._args.data / "train").is_dir():
            grey = replace(checkpoint.preprocessing, color="grey", input_size=48)
            library = load_split(
                self._args.data, "train", preprocessing=grey, classes=checkpoint.classes
            )
            self._twins = find_near_duplicates(
                library, self.folder(checkpoint).with_preprocessing(grey)
            )
        return replace(self.answers(checkpoint), twins=self._twins)
