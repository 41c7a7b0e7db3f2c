"""MNIST and the small CNN.

    python -m jaxact.main --config=configs/mnist.py

Variants: `paper` (the paper's protocol with the learning rate its figures point to), `smoke` (2,000
images, 1 epoch).
"""

from jaxact.config import default_config, variant

PAPER = {
    "epochs": 10,
    "batch_size": 128,
    "learning_rate": 2e-4,
    "eval_split": "test",
    "target_accuracy": 0.98,
}
SMOKE = {"epochs": 1, "train_examples": 2000, "test_examples": 500, "latency_samples": 0}


def get_config(name: str = ""):
    config = default_config()
    config.dataset = "mnist"
    config.epochs = 10
    config.target_accuracy = 0.98
    return variant(config, name, {"paper": PAPER, "smoke": SMOKE})
