from .ablation import (
    AblationRow as AblationRow,
    ablation_table as ablation_table,
    read_ablation as read_ablation,
)
from .ensemble import EnsembleRow as EnsembleRow, measure_ensemble as measure_ensemble
from .significance import Comparison as Comparison, compare_models as compare_models
from .zoo import load_models as load_models, measure_architecture as measure_architecture
from .zoo_table import ZooRow as ZooRow, merge_rows as merge_rows, read_rows as read_rows
