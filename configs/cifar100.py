"""CIFAR-100 (its 100 fine labels) and VGG-11 with BatchNorm; crop and flip by default.

    python -m jaxact.main --config=configs/cifar100.py

The full 50 epochs are for a GPU. Variant: `smoke` (2,000 images, 2 epochs: minutes on a CPU).
"""

from jaxact.config import default_config, variant

SMOKE = {"epochs": 2, "train_examples": 2000, "test_examples": 500, "latency_samples": 0}


def get_config(name: str = ""):
    config = default_config()
    config.dataset = "cifar100"
    config.model = "vgg11"
    config.epochs = 50
    config.target_accuracy = 0.55
    return variant(config, name, {"smoke": SMOKE})
