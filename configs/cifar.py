"""CIFAR-10 and VGG-11 with BatchNorm; crop and flip, which are the default of CIFAR alone.

    python -m jaxact.main --config=configs/cifar.py

The full 50 epochs are for a GPU. Variants: `paper` (the paper's protocol; it states neither
learning rate nor augmentation), `smoke` (2,000 images, 2 epochs: minutes on a CPU).
"""

from jaxact.config import default_config, variant

PAPER = {"epochs": 50, "batch_size": 128, "eval_split": "test", "target_accuracy": 0.87}
SMOKE = {"epochs": 2, "train_examples": 2000, "test_examples": 500, "latency_samples": 0}


def get_config(name: str = ""):
    config = default_config()
    config.dataset = "cifar10"
    config.model = "vgg11"
    config.epochs = 50
    config.target_accuracy = 0.87
    return variant(config, name, {"paper": PAPER, "smoke": SMOKE})
