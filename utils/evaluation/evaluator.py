"""Measure one model: on a labelled split, on whole photos, or everything for its model card."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from utils.defaults import DETECTOR
from utils.errors import ConfigError
from utils.evaluation.calibration import prior_table, scaling_table
from utils.evaluation.end_to_end import evaluate_end_to_end
from utils.evaluation.model_card import write_card
from utils.evaluation.plots.heads import save_detailed_figures
from utils.evaluation.results import EndToEndResult, EvaluationResult, RobustnessResult
from utils.evaluation.robustness import evaluate_robustness
from utils.evaluation.split import LabelledSplit, SplitConfig, SplitPredictions
from utils.faces import build_detector
from utils.inference.analyzer import EmotionAnalyzer
from utils.model.checkpoint import Checkpoint, load_checkpoint
from utils.model.classifier import EmotionClassifier
from utils.model.spec import Head, LabelSet
from utils.model.torch_runtime import TorchRuntime
from utils.paths import BUNDLED_MODEL


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Which model to measure.

    Attributes:
        path: Checkpoint (.pth).
        head: Name of the head; None is the model's default.
        prior_correction: Replaces the head's own strength of the class-prior correction, 0..1.
    """

    path: Path = BUNDLED_MODEL
    head: str | None = None
    prior_correction: float | None = None

    def load(self) -> tuple[Checkpoint, Head]:
        """Return the model and the head to measure, with the prior correction asked for.

        Raises:
            CheckpointError: The checkpoint can't be read.
            ConfigError: The model has no such head, or the correction is out of range.
        """
        checkpoint = load_checkpoint(self.path)
        head = checkpoint.head(self.head)
        if self.prior_correction is not None:
            try:
                changed = replace(head, prior_correction=self.prior_correction)
            except ValueError as error:
                raise ConfigError(f"--prior-correction: {error}") from error
            checkpoint.heads = tuple(changed if h == head else h for h in checkpoint.heads)
            head = changed
        return checkpoint, head


@dataclass(frozen=True, kw_only=True)
class PhotosConfig:
    """Whole photos to measure a model on.

    Attributes:
        folder: Holds one folder a class.
        detector: One of ``utils.faces.list_detectors()``.
        detector_weights: Model file for the detectors that need one.
    """

    folder: Path
    detector: str = DETECTOR
    detector_weights: Path | None = None


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """What to measure of one model.

    Attributes:
        model: The model.
        split: The labelled images.
        photos: Measure whole photos too.
        prior_table: Measure other strengths of the prior correction.
        scaling_table: Compare temperature scaling and vector scaling.
        robustness: Measure corrupted images.
        out: Folder for the figures; None draws none.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    photos: PhotosConfig | None = None
    prior_table: bool = False
    scaling_table: bool = False
    robustness: bool = False
    out: Path | None = None


def evaluate(config: EvaluateConfig) -> EvaluationResult:
    """Measure one head of a model on a labelled split, and draw its figures if asked for.

    Raises:
        EmotionError: The model, the data or the photos can't be used.
    """
    evaluator = _Evaluator(config)
    result = evaluator.result()
    if config.out is not None:
        evaluator.save_figures((result.head,), config.out)
    return result


def evaluate_for_card(config: EvaluateConfig, card: Path, *, command: str) -> EvaluationResult:
    """Measure everything that a model card shows, draw the figures and write the card.

    Args:
        config: The model, the split and the photos; the tables are all measured.
        card: The Markdown file; the figures go into its folder unless ``config.out`` is given.
        command: The command that the card names as its source.

    Raises:
        EmotionError: The model, the data or the photos can't be used.
    """
    config = replace(config, prior_table=True, scaling_table=True, robustness=True)
    # Only the card shows the validation split's near-duplicates, whose search takes a minute.
    evaluator = _Evaluator(config, mark_validation=True)
    result = evaluator.result()
    evaluator.save_figures(evaluator.checkpoint.heads, config.out or card.parent)
    predictions = {"validation": evaluator.validation(), result.split: evaluator.predictions}
    write_card(evaluator.checkpoint, result, predictions=predictions, path=card, command=command)
    return result


def evaluate_photos(model: ModelConfig, photos: PhotosConfig) -> EndToEndResult:
    """Measure one head of a model, with a detector, on whole photos.

    Raises:
        EmotionError: The model, the detector or the photos can't be used.
    """
    return _evaluate_photos(*model.load(), photos)


def _evaluate_photos(checkpoint: Checkpoint, head: Head, photos: PhotosConfig) -> EndToEndResult:
    classifier = EmotionClassifier(checkpoint, TorchRuntime(checkpoint), head=head.name)
    detector = build_detector(photos.detector, weights=photos.detector_weights)
    return evaluate_end_to_end(EmotionAnalyzer(classifier, detector), photos.folder)


class _Evaluator:
    """One model on one split; everything is derived from one pass over the images.

    Args:
        config: What to measure.
        mark_validation: Mark the near-duplicates of the validation split.
    """

    def __init__(self, config: EvaluateConfig, *, mark_validation: bool = False) -> None:
        self._config, self._mark_validation = config, mark_validation
        self.checkpoint, self.head = config.model.load()
        self._split = LabelledSplit(config.split)
        self.predictions = self._split.predict(self.checkpoint, mark_near_duplicates=True)
        self._validation: SplitPredictions | None = None

    def validation(self) -> SplitPredictions:
        """Return the predictions on the validation split."""
        if self._validation is None:
            split = LabelledSplit(replace(self._config.split, split="validation"))
            self._validation = split.predict(
                self.checkpoint, mark_near_duplicates=self._mark_validation
            )
        return self._validation

    def result(self) -> EvaluationResult:
        """Measure what the configuration asks for."""
        config, predictions, head = self._config, self.predictions, self.head
        first, last = self.checkpoint.heads[0], self.checkpoint.heads[-1]
        votes = predictions.metrics(first).get(LabelSet.FERPLUS)
        return EvaluationResult(
            model=self.checkpoint.model,
            head=head,
            split=config.split.split,
            label_sets=predictions.metrics(head, intervals=True),
            ferplus_accuracy=votes.accuracy if votes else None,
            fer2013_accuracy=predictions.metrics(last)[LabelSet.FOLDER].accuracy,
            label_agreement=predictions.label_agreement(),
            prior_table=prior_table(head, predictions) if config.prior_table else None,
            scaling_table=(
                scaling_table(head, validation=self.validation(), test=predictions)
                if config.scaling_table
                else None
            ),
            robustness=self._robustness() if config.robustness else None,
            end_to_end=(
                _evaluate_photos(self.checkpoint, head, config.photos) if config.photos else None
            ),
        )

    def _robustness(self) -> RobustnessResult:
        return evaluate_robustness(
            self.checkpoint,
            self.head,
            dataset=self._split.dataset(self.checkpoint),
            labels=self.predictions.target_labels(self.head),
            average=self._config.split.average,
        )

    def save_figures(self, heads: tuple[Head, ...], out: Path) -> None:
        """Draw every figure of some heads."""
        dataset = self._split.dataset(self.checkpoint)
        for head in heads:
            save_detailed_figures(
                self.predictions,
                head,
                dataset=dataset,
                model=self.checkpoint.model,
                split=self._config.split.split,
                out=out,
            )
