"""Images of the right shape and number, of noise: speed does not depend on what they show."""

import numpy as np

SHAPES = {
    "small_cnn": (28, 28, 1),
    "vgg11": (32, 32, 3),
    "alexnet": (227, 227, 3),
    "alexnet32": (32, 32, 3),
    "four_layer_cnn": (32, 32, 3),
}
# Training images of MNIST and CIFAR-10, for which the models were made; of ImageNet's, whose 1.3
# million are too large to lie in memory, as many as make 150 MB.
EXAMPLES = {
    "small_cnn": 60_000,
    "vgg11": 50_000,
    "alexnet": 1_024,
    "alexnet32": 50_000,
    "four_layer_cnn": 50_000,
}
# Multiplications and additions of the convolutions and dense layers, forward and twice that
# backward: 6 for each product of an image.
FLOP_AN_IMAGE = {
    "small_cnn": 6 * 480_500,
    "vgg11": 6 * 152_769_536,
    "alexnet": 6 * 720_351_776,
    "alexnet32": 6 * 63_606_784,
    "four_layer_cnn": 6 * 12_298_240,
}
# Numbers that an image's first activation works on.
FIRST_ACTIVATION = {
    "small_cnn": 12 * 12 * 10,
    "vgg11": 32 * 32 * 64,
    "alexnet": 55 * 55 * 96,
    "alexnet32": 32 * 32 * 48,
    "four_layer_cnn": 32 * 32 * 32,
}
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
