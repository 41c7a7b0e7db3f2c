"""The images that a network works on at a time where nothing is learned."""

MOST = 256
PIXELS = MOST * 64 * 64  # of a batch of larger images


def images_at_once(height: int, width: int) -> int:
    """The images of a batch, a power of two: 256 up to 64 x 64 pixels, fewer of larger ones.

    Outputs of layers grow with the pixels, and with them the memory of a batch: 256 images of
    224 x 224 pixels take gigabytes in the smallest of networks.

    >>> images_at_once(32, 32), images_at_once(224, 224)
    (256, 16)
    """
    fits = min(MOST, PIXELS // (height * width))
    return 1 << (fits.bit_length() - 1) if fits else 1
