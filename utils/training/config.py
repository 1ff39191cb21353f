"""The training configuration: one validated description, from YAML and from flags."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from utils.errors import ConfigError
from utils.model.architectures import list_models
from utils.paths import RECIPES


class TrainConfig(BaseModel):
    """Everything that decides a training run; saved in its checkpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path = Field(
        Path("images"), description="folder with train/ and validation/ ImageFolders"
    )
    model: str = Field("se_resnet", description="architecture, one of the registry")
    model_args: dict[str, Any] = Field(
        {}, description="further arguments of the architecture (YAML)"
    )
    init: Path | None = Field(None, description="checkpoint whose weights training begins with")
    unfreeze_every: int = Field(
        0, ge=0, description="pretrained models: epochs until the next group of layers trains"
    )
    unfreeze_groups: int | None = Field(
        None, ge=0, description="pretrained models: how many groups train in the end; all if unset"
    )
    input_size: int = Field(48, ge=8, le=1024, description="side of the square input, pixels")
    color: Literal["grey", "rgb"] = Field("grey", description="input channels")

    epochs: int = Field(50, ge=1, description="passes over the training images")
    batch_size: int = Field(32, ge=2, description="images a step")
    optimizer: Literal["adam", "adamw", "sgd"] = Field(
        "adam", description="sgd is with Nesterov momentum 0.9"
    )
    lr: float = Field(1e-3, gt=0, description="peak learning rate")
    weight_decay: float = Field(0.0, ge=0, description="not applied to biases and BatchNorm")
    schedule: Literal["constant", "cosine", "onecycle", "plateau"] = Field(
        "plateau", description="learning rate over time"
    )
    warmup_epochs: float = Field(0.0, ge=0, description="linear warm-up before cosine or constant")
    patience: int = Field(
        10,
        ge=0,
        description="stop after so many epochs without a better validation accuracy; 0: never",
    )
    keep: Literal["best", "last"] = Field(
        "best",
        description="epoch whose weights are kept: best on validation, or last, for training on "
        "harder pictures than validation has",
    )

    loss: Literal["cross_entropy", "focal", "generalized"] = Field(
        "cross_entropy", description="training loss; generalized stands label noise"
    )
    focal_gamma: float = Field(2.0, ge=0, description="focusing exponent of the focal loss")
    noise_q: float = Field(
        0.5, gt=0, le=1, description="generalized loss: 1 is the mean absolute error"
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="mass spread over all classes")
    class_weights: Literal["none", "balanced", "sqrt"] = Field(
        "none", description="weight classes by inverse frequency, or its square root"
    )
    ferplus_weight: float = Field(
        0.0, ge=0, le=1, description="share of FER+ votes in the targets (needs DATA/ferplus.csv)"
    )
    benchmark_head: bool = Field(
        False, description="a second head that answers the folder names alone, beside the votes"
    )
    benchmark_share: float = Field(
        0.5, gt=0, lt=1, description="share of that head in the loss and in the choice of the epoch"
    )
    distill: tuple[Path, ...] = Field(
        (), description="checkpoints (A,B) whose mean answers are blended into the targets"
    )
    distill_weight: float = Field(0.5, ge=0, le=1, description="share of those answers")
    mixup: float = Field(0.0, ge=0, description="Beta parameter of mixup; 0: off")
    cutmix: float = Field(0.0, ge=0, description="Beta parameter of CutMix; 0: off")
    augmentation: Literal["none", "basic", "light", "full", "webcam"] = Field(
        "basic",
        description="basic: flip and colour jitter; light: small moves and erasing too; full: "
        "larger ones; webcam: also blur, noise, bad light and few pixels",
    )
    progressive_size: int | None = Field(
        None, ge=8, description="smaller input for the first epochs (fully convolutional models)"
    )
    progressive_epochs: int = Field(0, ge=0, description="epochs at progressive_size")

    ema: float = Field(0.0, ge=0, lt=1, description="decay of the weight average a step; 0: off")
    precision: Literal["fp32", "bf16", "fp16"] = Field("fp32", description="autocast precision")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="where to train")
    compile: bool = Field(False, description="torch.compile (needs a C++ compiler on CPU)")
    cache_gb: float = Field(4.0, ge=0, description="keep decoded images in memory up to this size")
    seed: int = Field(0, ge=0, description="same seed, same run")
    out: Path | None = Field(None, description="run folder; runs/MODEL-TIME by default")

    @field_validator("distill", mode="before")
    @classmethod
    def _split_paths(cls, value: Any) -> Any:
        return value.split(",") if isinstance(value, str) else value


def load_config(
    path: Path | None, overrides: dict[str, Any], recipes: Path = RECIPES
) -> TrainConfig:
    """Combine the model's recipe, a YAML file and overrides, the later ones winning.

    A recipe's ``ferplus_weight`` counts only for data with FER+ votes; one given by file or
    override asks for them.

    Args:
        path: YAML file with keys of ``TrainConfig``, or None.
        overrides: Values by key, as text or typed.
        recipes: Folder with ``NAME.yaml`` default recipes for the architectures.

    Raises:
        ConfigError: A file is missing or not a YAML mapping, a key is unknown or a value is
            impossible; the message names it.
    """
    given = (_read_yaml(path) if path else {}) | overrides
    model = given.get("model", TrainConfig.model_fields["model"].default)
    if model not in list_models():
        raise ConfigError(f"unknown model {model!r}; known models: {', '.join(list_models())}")
    recipe = recipes / f"{model}.yaml"
    values = (_read_yaml(recipe) if recipe.is_file() else {}) | given
    try:
        config = TrainConfig.model_validate(values)
        if config.benchmark_head and not config.ferplus_weight and "benchmark_head" in given:
            raise ConfigError(
                "benchmark_head is for networks that learn FER+ votes; without ferplus_weight the "
                "only head answers the folder names"
            )
        votes = "ferplus_weight" in given or (config.data / "ferplus.csv").is_file()
        if not votes or not config.ferplus_weight:
            config = config.model_copy(update={"ferplus_weight": 0.0, "benchmark_head": False})
        return config
    except ValidationError as error:
        where = f"{path}: " if path else ""
        raise ConfigError(where + "; ".join(map(_explain, error.errors()))) from error


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: can't read the configuration: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected 'key: value' lines, found a {type(data).__name__}")
    return data


def _explain(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"unknown key {key!r}; known keys: {', '.join(TrainConfig.model_fields)}"
    return f"{key} = {error['input']!r}: {error['msg'].lower()}"
