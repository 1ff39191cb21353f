"""The sections of the training configuration: options that belong to one subject."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationInfo, field_validator


class Section(BaseModel):
    """Options that are checked on construction and can't be changed."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False
    )


class NetworkConfig(Section):
    """The network, its input and what it starts from."""

    model: str = Field(default="se_resnet", description="architecture (--list-models shows all)")
    model_args: dict[str, JsonValue] = Field(
        default_factory=dict, description="further arguments of the architecture (YAML)"
    )
    pretrained: str | None = Field(
        default=None,
        description="weights to start from: dlib (face recognition; face_resnet), imagenet "
        "(efficientnet_lite0, mobilenet_v3_large, vit), or a checkpoint",
    )
    unfreeze_every: int = Field(
        default=0, ge=0, description="pretrained models: epochs per unfrozen group of layers"
    )
    unfreeze_groups: int | None = Field(
        default=None, ge=0, description="pretrained models: groups to unfreeze (default: all)"
    )
    input_size: int = Field(
        default=48, ge=8, le=1024, description="side of the square input, pixels"
    )
    color: Literal["grey", "rgb"] = Field(default="grey", description="input channels")

    def build_args(self, outputs: int) -> dict[str, Any]:
        """Return the arguments of ``build_model`` for a network with so many outputs."""
        return {
            "num_classes": outputs,
            "input_size": self.input_size,
            "in_channels": 1 if self.color == "grey" else 3,
        } | self.model_args


class ScheduleConfig(Section):
    """Epochs, batches and the optimiser with its learning rate."""

    epochs: int = Field(default=50, ge=1, description="passes over the training images")
    batch_size: int = Field(default=32, ge=2, description="images per step")
    optimizer: Literal["adam", "adamw", "sgd"] = Field(
        default="adam", description="sgd has Nesterov momentum 0.9"
    )
    lr: float = Field(default=1e-3, gt=0, description="peak learning rate")
    layer_decay: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="pretrained models: factor on the learning rate of each group of layers, "
        "counted from the last layer back",
    )
    weight_decay: float = Field(default=0.0, ge=0, description="not for biases and BatchNorm")
    lr_schedule: Literal["constant", "cosine", "onecycle", "plateau"] = Field(
        default="plateau", alias="schedule", description="learning rate over time"
    )
    warmup_epochs: float = Field(default=0.0, ge=0, description="linear warm-up (cosine, constant)")
    patience: int = Field(
        default=10, ge=0, description="stop after so many epochs without a better one; 0: never"
    )
    keep: Literal["best", "last"] = Field(
        default="best",
        description="epoch whose weights are kept: the best on validation, or the last, for "
        "training on harder images than those of validation",
    )


class LossConfig(Section):
    """The training loss."""

    kind: Literal["cross_entropy", "focal", "generalized"] = Field(
        default="cross_entropy",
        alias="loss",
        description="training loss; generalized is noise-robust",
    )
    focal_gamma: float = Field(default=2.0, ge=0, description="focusing exponent of the focal loss")
    noise_q: float = Field(
        default=0.5, gt=0, le=1, description="generalized loss: 1 is the mean absolute error"
    )
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="mass spread over all classes"
    )
    class_weights: Literal["none", "balanced", "sqrt"] = Field(
        default="none", description="weight classes by inverse frequency, or its square root"
    )


class TargetConfig(Section):
    """The labels and predictions the network learns."""

    ferplus_weight: float = Field(
        default=0.0, ge=0, le=1, description="share of FER+ votes (needs DATA/ferplus.csv)"
    )
    benchmark_head: bool = Field(
        default=False, description="a second head that learns the folder names, not the votes"
    )
    benchmark_share: float = Field(
        default=0.5, gt=0, lt=1, description="share of that head in loss and validation accuracy"
    )
    distill: tuple[Path, ...] = Field(
        default=(),
        description="teachers: checkpoints (A,B) whose mean prediction is part of the targets",
    )
    distill_weight: float = Field(
        default=0.5, ge=0, le=1, description="share of the teachers' prediction"
    )
    unlabelled: Path | None = Field(
        default=None,
        description="folder of further face images, whose targets are the teachers' alone",
    )

    @field_validator("distill", mode="before")
    @classmethod
    def _split_paths(cls, value: Any) -> Any:
        return value.split(",") if isinstance(value, str) else value

    @field_validator("unlabelled")
    @classmethod
    def _need_teachers(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value and not info.data.get("distill", True):
            raise ValueError("only teachers give these images targets; name them with distill")
        return value


class AugmentationConfig(Section):
    """Random changes to the training images, and their size in the first epochs."""

    mixup: float = Field(default=0.0, ge=0, description="Beta parameter of mixup; 0: off")
    cutmix: float = Field(default=0.0, ge=0, description="Beta parameter of CutMix; 0: off")
    preset: Literal["none", "basic", "light", "sharpness", "full", "webcam"] = Field(
        default="basic",
        alias="augmentation",
        description="basic: flip and colour jitter; light: also small shifts and erasing; "
        "sharpness: also low resolution, blur, JPEG and other light; full: larger shifts; webcam: "
        "also blur, noise, bad light and low resolution",
    )
    progressive_size: int | None = Field(
        default=None, ge=8, description="input of the first epochs (fully convolutional models)"
    )
    progressive_epochs: int = Field(default=0, ge=0, description="epochs at progressive_size")


class ExecutionConfig(Section):
    """Precision, hardware and reproducibility."""

    ema: float = Field(
        default=0.0, ge=0, lt=1, description="decay per step of the averaged weights; 0: off"
    )
    precision: Literal["fp32", "bf16", "fp16"] = Field(
        default="fp32", description="autocast precision"
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto", description="where to train"
    )
    compile: bool = Field(default=False, description="torch.compile (needs a C++ compiler on CPU)")
    cache_gb: float = Field(
        default=4.0, ge=0, description="keep decoded images in memory up to this size"
    )
    seed: int = Field(default=0, ge=0, description="same seed, same run")
