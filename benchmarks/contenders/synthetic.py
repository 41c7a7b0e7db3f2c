"""Images of the right shape and number, of noise: speed does not depend on what they show."""

import numpy as np

# Of MNIST and CIFAR-10. ImageNet's 1.3 million are too large to lie in memory; 1,024 make 150 MB.
TRAINING_IMAGES = {(28, 28, 1): 60_000, (32, 32, 3): 50_000}
TRAINING_IMAGES_OF_OTHERS = 1_024
CLASSES = 10
MEAN, STD = 0.5, 0.25

Shape = tuple[int, int, int]  # [height, width, channels]


def examples(shape: Shape, count: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 images `[count, height, width, channels]` and int32 labels `[count]`."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (count, *shape), np.uint8)
    return images, generator.integers(0, CLASSES, count, np.int32)


def statistics(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel, float32 `[channels]`, in units of [0, 1]."""
    channels = shape[-1]
    return np.full(channels, MEAN, np.float32), np.full(channels, STD, np.float32)
