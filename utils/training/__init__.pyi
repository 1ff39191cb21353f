from .config import TrainConfig as TrainConfig
from .data import load_data as load_data
from .history import TrainingHistory as TrainingHistory
from .recipes import load_config as load_config
from .report import finish as finish
from .trainer import Trainer as Trainer
