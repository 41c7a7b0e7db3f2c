"""Images of the right shape and number, of noise: speed does not depend on what they show."""

import numpy as np

SHAPES = {"small_cnn": (28, 28, 1), "vgg11": (32, 32, 3)}
# Training images of MNIST and CIFAR-10, for which the models were made.
EXAMPLES = {"small_cnn": 60_000, "vgg11": 50_000}
# Multiplications and additions of the convolutions and dense layers, forward and twice that
# backward: 6 for each of 480,500 and 152,871,936 products of an image.
FLOP_AN_IMAGE = {"small_cnn": 6 * 480_500, "vgg11": 6 * 152_871_936}
# Numbers that an image's first activation works on.
FIRST_ACTIVATION = {"small_cnn": 12 * 12 * 10, "vgg11": 32 * 32 * 64}
CLASSES = 10
MEAN, STD = 0.5, 0.25


def examples(model: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 images `[count, height, width, channels]` and int32 labels `[count]`."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (count, *SHAPES[model]), np.uint8)
    return images, generator.integers(0, CLASSES, count, np.int32)


def statistics(model: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel, float32 `[channels]`, in units of [0, 1]."""
    channels = SHAPES[model][-1]
    return np.full(channels, MEAN, np.float32), np.full(channels, STD, np.float32)
