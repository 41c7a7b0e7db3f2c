"""The embedded digits (1,797 images of 8x8, upsampled) and the small CNN; needs no files.

    python -m jaxact.main

A minute's smoke test and a first look. Variants: `smoke` (2 epochs, no latency).
"""

from jaxact.config import default_config, variant


def get_config(name: str = ""):
    config = default_config()
    config.dataset = "digits"
    config.epochs = 20
    config.target_accuracy = 0.97
    return variant(config, name, {"smoke": {"epochs": 2, "latency_samples": 0}})
