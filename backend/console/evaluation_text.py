"""What the evaluation prints for people."""

from collections.abc import Sequence
from typing import Any

from utils.training.report import per_class_table


def print_figures(name: str, figures: dict[str, Any]) -> None:
    """Print one label set's figures."""
    twin_free = figures.get("accuracy_twin_free")
    extra = f", without twins {twin_free:.2%}" if twin_free is not None else ""
    low, high = figures["intervals"]["accuracy"]
    print(f"\n{name}: accuracy {figures['accuracy']:.2%} [{low:.1%}, {high:.1%}]{extra}")
    print(
        f"  balanced {figures['balanced_accuracy']:.2%}, macro F1 {figures['macro_f1']:.3f}, "
        f"top-2 {figures['top2_accuracy']:.2%}, ECE {figures['ece']:.2%}, "
        f"{figures['coverage_80_accuracy']:.2%} right of the most confident 80 %, "
        f"{figures['images']} images"
    )
    print(per_class_table(figures))


def print_end_to_end(figures: dict[str, Any]) -> None:
    """Print the figures on whole photos."""
    print(
        f"\nend to end: accuracy {figures['accuracy']:.2%}, "
        f"balanced {figures['balanced_accuracy']:.2%}, "
        f"no face found {figures['no_face']:.2%}, {figures['images']} photos"
    )
    for name, row in figures["per_class"].items():
        print(f"  {name:10s} recall {row['recall']:.1%} of {row['support']}")


def print_robustness(rows: Sequence[dict[str, Any]], mean: float) -> None:
    """Print what each degradation costs."""
    print("\nrobustness:")
    for row in rows:
        print(f"  {row['name']:12s} {row['accuracy']:.2%}  {-100 * row['drop']:+.1f} points")
    print(f"  {'mean':12s} {'':6s}  {-100 * mean:+.1f} points")


def print_priors(rows: Sequence[dict[str, Any]]) -> None:
    """Print what strengths of the prior correction would do."""
    print("\nprior correction:  accuracy  balanced  macro F1")
    for row in rows:
        print(
            f"  {row['prior_correction']:.1f}{'':14s}{row['accuracy']:.2%}    "
            f"{row['balanced_accuracy']:.2%}    {row['macro_f1']:.3f}"
        )


def print_scalings(rows: Sequence[dict[str, Any]]) -> None:
    """Print what each way to calibrate does on unseen images."""
    print("\nscaling:      validation, cross-validated        this split")
    for row in rows:
        cells = [
            f"{f['accuracy']:.2%}  NLL {f['nll']:.4f}  ECE {f['ece']:.2%}"
            for f in (row["validation"], row["test"])
        ]
        print(f"  {row['scaling']:11s} {'    '.join(cells)}")
