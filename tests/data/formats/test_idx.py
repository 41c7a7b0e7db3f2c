import functools
import gzip

import numpy as np
import pytest

from jaxact.data.formats import idx as idx_format
from tests.support.published_files import assert_same_split, idx

# Without the time in its header: workers name tests after what they are given.
compress = functools.partial(gzip.compress, mtime=0)

IMAGES, LABELS = idx_format.FILES[:2]
ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def test_parse_gives_back_the_array():
    np.testing.assert_array_equal(idx_format.parse(idx(ARRAY), 3), ARRAY)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "starts with nothing"),
        (b"\x00\x00\x0d\x03" + idx(ARRAY)[4:], "starts with 00000d03, not 00000803"),
        (idx(ARRAY.ravel()), "starts with 00000801"),
        (idx(ARRAY)[:10], "ends within its header of 16 bytes"),
        (idx(ARRAY)[:-1], "2 x 3 x 4 bytes, 23 follow"),
        (idx(ARRAY) + b"\x00", "2 x 3 x 4 bytes, 25 follow"),
        (idx(ARRAY)[:4] + b"\xff" * 12 + idx(ARRAY)[16:], "4294967295 .* 24 follow"),
    ],
)
def test_parse_refuses_what_the_header_does_not_say(content, message):
    with pytest.raises(ValueError, match=message):
        idx_format.parse(content, 3)


def test_read_gives_both_splits(mnist):
    train, test = idx_format.read(mnist.contents)
    assert_same_split(train, mnist.train)
    assert_same_split(test, mnist.test)
    assert train.images.shape == (50, 28, 28, 1)
    assert train.labels.dtype == np.int32


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (compress(idx(ARRAY))[:-12], "not a whole gzip file"),
        (b"not gzip", "not a whole gzip file"),
        (compress(idx(ARRAY)[:-1]), "23 follow"),
    ],
)
def test_read_names_the_file(mnist, content, message):
    with pytest.raises(ValueError, match=f"{IMAGES}.*{message}"):
        idx_format.read({**mnist.contents, IMAGES: content})


def test_a_header_that_asks_for_more_than_any_file_can_hold_is_not_believed(mnist):
    lie = idx(ARRAY)[:4] + b"\xff" * 12 + bytes(1000)
    message = f"{IMAGES}: .* 79228162458924105385300197375 bytes, more than the file can hold"
    with pytest.raises(ValueError, match=message):
        idx_format.read({**mnist.contents, IMAGES: compress(lie)})


def test_no_more_is_unpacked_than_the_header_says(mnist):
    bomb = compress(idx(ARRAY) + bytes(50_000_000))
    with pytest.raises(ValueError, match="2 x 3 x 4 bytes, 25 follow"):
        idx_format.read({**mnist.contents, IMAGES: bomb})
