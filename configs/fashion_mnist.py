"""Fashion-MNIST and the small CNN.

    python -m jaxact.main --config=configs/fashion_mnist.py

Variants: `smoke` (2,000 images, 1 epoch).
"""

from jaxact.config import default_config, variant

SMOKE = {"epochs": 1, "train_examples": 2000, "test_examples": 500, "latency_samples": 0}


def get_config(name: str = ""):
    config = default_config()
    config.dataset = "fashion_mnist"
    config.epochs = 10
    config.target_accuracy = 0.85
    return variant(config, name, {"smoke": SMOKE})
