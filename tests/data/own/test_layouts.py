"""What a user's folders and arrays are taken for: splits, classes, channels, labels, or refused."""

import numpy as np
import pytest

from jaxact import data
from jaxact.errors import DataError
from tests.support.own_files import CLASSES, archive, arrays, class_folders, encoded, four, npz
from tests.support.published_files import assert_same_split

IMAGES, LABELS = arrays(30)
PNG = encoded(IMAGES[0])


def put(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(PNG)


def refused(path, **options):
    with pytest.raises(DataError) as caught:
        data.load(str(path), **options)
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize("name", ["val", "valid", "Validation", "VAL"])
def test_a_folder_of_validation_images_is_read(tmp_path, name):
    class_folders(tmp_path / "train", 4)
    class_folders(tmp_path / "test", 2, seed=1)
    plain = data.load(str(tmp_path))
    pixels = class_folders(tmp_path / name, 3, seed=2)
    loaded = data.load(str(tmp_path))
    assert loaded.validation is not None
    np.testing.assert_array_equal(loaded.validation.images, pixels)
    assert loaded.validation.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert_same_split(loaded.train, plain.train)
    assert loaded.note == "validation images, which config.eval_split=validation uses: 9"
    assert loaded.fingerprint != plain.fingerprint
    resized = data.load(str(tmp_path), image_size=5)
    assert resized.validation is not None
    assert resized.validation.images.shape == (9, 5, 5, 3)


@pytest.mark.parametrize(
    ("layout", "names"),
    [
        (0, ("val_images", "val_labels")),
        (0, ("validation_images", "validation_labels")),
        (1, ("x_val", "y_val")),
        (1, ("x_valid", "y_valid")),
        (1, ("X_Val", "Y_val")),
    ],
)
def test_arrays_of_validation_images_are_read(tmp_path, layout, names):
    keys = (
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("x_train", "y_train", "x_test", "y_test"),
    )[layout]
    images, labels = arrays(9, seed=2)
    extra = dict(zip(names, (images, labels[:, np.newaxis]), strict=True))
    loaded = data.load(str(npz(tmp_path / "my.npz", **four(keys), **extra)))
    assert loaded.validation is not None
    assert_same_split(loaded.validation, data.Split(images, labels.astype(np.int32)))
    assert loaded.note == "validation images, which config.eval_split=validation uses: 9"


def test_without_test_images_those_of_validation_are_tested_on(tmp_path):
    class_folders(tmp_path / "d" / "train", 4)
    pixels = class_folders(tmp_path / "d" / "val", 2, seed=1)
    contents = four(("x_train", "y_train", "x_val", "y_val"))
    for path, images, name in (
        (tmp_path / "d", pixels, "those of val/"),
        (npz(tmp_path / "my.npz", **contents), contents["x_val"], "x_val"),
    ):
        loaded = data.load(str(path))
        np.testing.assert_array_equal(loaded.test.images, images)
        assert loaded.validation is None
        assert loaded.note == f"no test images: {name} are tested on"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"val_images": IMAGES}, "val_labels missing; each split needs images and labels"),
        (
            {f"{name}_{what}": IMAGES if what == "images" else LABELS for name in ("val", "valid")
             for what in ("images", "labels")},
            "val_images and valid_images are both of validation images; keep one",
        ),
        ({"val_images": IMAGES, "val_labels": LABELS + 1}, "validation labels go up to 3, the"),
        ({"val_images": IMAGES[:, 1:], "val_labels": LABELS}, "both must have one shape"),
        ({"val_images": IMAGES, "val_labels": LABELS[1:]}, "val_images are 30, .*val_labels 29"),
    ],
)  # fmt: skip
def test_wrong_validation_arrays_are_named(tmp_path, changed, message):
    with pytest.raises(DataError, match=message):
        data.load(str(npz(tmp_path / "my.npz", **four(), **changed)))


@pytest.mark.parametrize("names", [("Train", "Test"), ("TRAIN", "test"), ("training", "Testing")])
def test_folders_of_splits_have_letters_of_any_case(tmp_path, names):
    for name, examples in zip(names, (4, 2), strict=True):
        class_folders(tmp_path / name, examples)
    loaded = data.load(str(tmp_path))
    assert (len(loaded.train), len(loaded.test), loaded.class_names) == (12, 6, CLASSES)


def test_two_folders_of_one_split_are_refused(tmp_path):
    for name in ("train", "test", "val", "valid"):
        class_folders(tmp_path / name)
    assert "has val/ and valid/, both of validation images; put them into one" in refused(tmp_path)


@pytest.mark.parametrize("where", ["", "train/", "train/ant/"])
@pytest.mark.parametrize("name", ["__MACOSX", "@eaDir", "#recycle", "lost+found"])
def test_what_systems_leave_is_no_class(tmp_path, where, name):
    class_folders(tmp_path / "train")
    class_folders(tmp_path / "test")
    put(tmp_path, f"{where}{name}/ant/._0.png")
    loaded = data.load(str(tmp_path))
    assert loaded.class_names == CLASSES
    assert loaded.note == f"ignored, no images or classes: {where}{name}"


def test_what_systems_leave_beside_classes_is_ignored(tmp_path):
    class_folders(tmp_path)
    put(tmp_path, "__MACOSX/ant/x.png", "@eaDir/x.png")
    loaded = data.load(str(tmp_path))
    assert loaded.class_names == CLASSES
    assert loaded.note.endswith("ignored, no images or classes: @eaDir, __MACOSX")


def test_numbered_classes_sort_as_numbers(tmp_path):
    put(tmp_path, *(f"{name}/{i}.png" for name in ("1", "2", "10", "a10", "a9") for i in (0, 1)))
    assert data.load(str(tmp_path)).class_names == ("1", "2", "10", "a9", "a10")


@pytest.mark.parametrize(
    "paths",
    [
        ("train/cat.0.jpg", "test1/1.jpg"),
        ("train_images/0.png", "test_images/0.png"),
        ("images/0.png", "samples/0.png"),
        ("cat/0.png", "dog/0.png", "sample/0.png"),
        ("cat/0.png", "Validation/0.png"),
        ("TrainSet/0.png", "testset/0.png"),
        ("pets_train/0.png", "pets_test/0.png"),
        ("train/images/0.png", "train/labels/0.txt", "test/images/0.png"),
        ("test-a/0.png", "test-b/0.png"),
        ("cat/0.png", "testA/0.png"),
        ("trn/0.png", "tst/0.png"),
        ("fold1/0.png", "fold2/0.png"),
        ("imgs_part_1/0.png", "imgs_part_2/0.png"),
        ("cat/0.png", "train.zip/0.png"),
    ],
)
def test_folders_that_are_no_classes_are_refused_with_the_layouts(tmp_path, paths):
    put(tmp_path, *paths)
    message = refused(tmp_path)
    assert "would be taken for" in message
    assert "train/CLASS/*.png and test/CLASS/*.png, and val/CLASS/*.png" in message


def test_folders_within_a_class_folder_are_of_the_class(tmp_path):
    """As Tiny ImageNet has its training images: `CLASS/images/*.JPEG` beside `CLASS/boxes.txt`."""
    put(tmp_path, "ant/images/0.JPEG", "ant/images/1.JPEG", "bee/2/0.png", "bee/10/0.png")
    put(tmp_path, "bee/1.png", "ant/boxes.txt", "bee/2/empty/notes.txt")
    (tmp_path / "ant" / "images" / "more").symlink_to(tmp_path / "bee" / "2")
    loaded = data.load(str(tmp_path))
    assert loaded.class_names == ("ant", "bee")
    labels = np.concatenate([split.labels for split in loaded.splits().values()])
    assert np.bincount(labels).tolist() == [3, 3]
    assert loaded.note.endswith(
        "ignored, no images or classes: ant/boxes.txt, ant/images/more/empty/notes.txt, "
        "bee/2/empty/notes.txt"
    )


def test_classes_without_test_images_are_noted(tmp_path):
    put(tmp_path, "train/ant/0.png", "train/bee/0.png", "test/ant/0.png", "val/bee/0.png")
    note = data.load(str(tmp_path)).note
    assert note.endswith("; no test images of class bee; no validation images of class ant")


def test_names_that_hold_such_words_are_classes(tmp_path):
    names = ("crash_test", "image processor", "sunset", "testimony", "train_station")
    put(tmp_path, *(f"{name}/{i}.png" for name in names for i in (0, 1)))
    assert data.load(str(tmp_path)).class_names == names


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (("train/ant/0.png", "test/0.png"), r"test has no class folders.* have no labels$"),
        (("train/ant/0.png", "test1/0.png"), r"train/ but no test/; .*or give .*/train to have"),
        (("val/ant/0.png", "test/ant/0.png"), r"has test/ but no train/; add it"),
        (("mine/ant/0.png", "mine/bee/0.png"), r" if .*/mine holds the classes or train/ and"),
        (("train/ant/0.png", "test/ant/0.png", "val/dog/0.png"), r"val/ has the class dog that tr"),
    ],
)
def test_folders_in_other_order_are_told_what_to_do(tmp_path, paths, message):
    put(tmp_path, *paths)
    with pytest.raises(DataError, match=message):
        data.load(str(tmp_path))


def test_links_out_of_the_folder_are_followed_if_the_user_allows(tmp_path):
    class_folders(tmp_path / "mine")
    class_folders(tmp_path / "other", seed=1)
    (tmp_path / "mine" / "bee" / "new.png").symlink_to(tmp_path / "other" / "bee" / "0.png")
    (tmp_path / "mine" / "dog").symlink_to(tmp_path / "other" / "cat")
    assert refused(tmp_path / "mine").endswith("such links with --config.follow_links=True")
    loaded = data.load(str(tmp_path / "mine"), follow_links=True)
    assert loaded.class_names == (*CLASSES, "dog")
    assert len(loaded.train) + len(loaded.test) == 15 + 1 + 5


def test_links_to_nothing_are_broken_images(tmp_path):
    class_folders(tmp_path)
    for index in range(2):
        (tmp_path / "bee" / f"new{index}.png").symlink_to(tmp_path / "nowhere.png")
    assert refused(tmp_path).startswith("2 of 17 images cannot be used: ")
    (tmp_path / "bee" / "new0.png").unlink()
    assert refused(tmp_path).endswith("bee/new1.png is a link to nothing; remove it")


# Axes and labels of arrays.


@pytest.mark.parametrize("shape", [(13, 6, 7), (6, 7, 13), (3, 6, 7)])
def test_more_than_four_channels_have_to_be_said(tmp_path, shape):
    images = np.random.default_rng(0).integers(0, 256, (30, *shape), np.uint8)
    path = npz(tmp_path / "my.npz", images=images, labels=LABELS)
    message = refused(path)
    assert f"is {[30, *shape]}" in message
    assert f"channels_last=False if axis 1 has the channels ({shape[0]} of {shape[1]} x" in message
    last = data.load(str(path), channels_last=True)
    assert last.train.images.shape[1:] == shape
    first = data.load(str(path), channels_last=False)
    assert first.train.images.shape[1:] == (*shape[1:], shape[0])
    for loaded, axis in ((last, images), (first, np.moveaxis(images, 1, -1))):
        assert {i.tobytes() for i in loaded.test.images} <= {i.tobytes() for i in axis}


def test_up_to_four_channels_need_nothing_to_be_said(tmp_path):
    for channels in range(1, 5):
        images, labels = arrays(30, (9, 10, channels))
        path = npz(tmp_path / "my.npz", images=images, labels=labels)
        assert data.load(str(path)).train.images.shape[1:] == (9, 10, channels)


@pytest.mark.parametrize("shape", [(64, 3), (3, 64), (784, 1)])
def test_an_axis_that_may_be_channels_of_images_without_width_is_refused(tmp_path, shape):
    path = npz(tmp_path / "my.npz", images=np.zeros((30, *shape), np.uint8), labels=LABELS)
    assert "is one axis of channels? save [examples, height, width, channels]" in refused(path)
    assert data.load(str(path), channels_last=True).train.images.shape[1:] == (*shape, 1)


def rows(*ones):
    labels = np.zeros((30, 14), int)
    labels[np.arange(30), LABELS] = 1
    for row, column in ones:
        labels[row, column] = 1
    return labels


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (rows(), "they are one-hot: save labels.argmax(-1)"),
        (rows().astype(np.float32), "they are one-hot: save labels.argmax(-1)"),
        (rows().astype(bool), "they are one-hot: save labels.argmax(-1)"),
        (rows((4, 9)), "they are multi-label (image 4 has 2 of 14)"),
        (rows() * 0, "they are multi-label (image 0 has 0 of 14)"),
        (rows() * 0.9 + 0.1 / 14, "the rows are neither one-hot nor one class each"),
        (rows() * 2, "the rows are neither one-hot nor one class each"),
        (LABELS * 1.0, "they are whole numbers: save labels.astype(np.int64)"),
        (LABELS + 0.5, "they are not whole (image 0: 0.5): quantities are no classes"),
        (np.where(LABELS, LABELS, np.nan), "they hold NaN or infinite numbers"),
        (LABELS > 0, "False and True are two classes: save labels.astype(np.int64)"),
    ],
)
def test_labels_that_are_no_whole_numbers_get_a_true_answer(tmp_path, labels, message):
    answer = refused(npz(tmp_path / "my.npz", images=IMAGES, labels=labels))
    assert message in answer
    assert ("argmax" in answer) == ("one-hot:" in message)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES / 255 / 255, LABELS, "holds floats up to 0.00392157, so that 8 bits would leave"),
        (IMAGES / 255 / 16, LABELS, "few levels or none: divide by the highest value that there"),
        (IMAGES > 99, LABELS, "or floats in [0, 1]: save images * np.uint8(255)"),
        (IMAGES, LABELS * 2 - 1, "got -1; renumber all labels together with np.unique("),
        (IMAGES, np.array(["a", "b", "c"])[LABELS], "must be numbers, such as np.unique(labels"),
    ],
)
def test_arrays_that_would_lose_what_they_hold_are_refused(tmp_path, images, labels, message):
    assert message in refused(npz(tmp_path / "my.npz", images=images, labels=labels))


def test_images_of_few_grey_levels_are_noted(tmp_path):
    path = npz(tmp_path / "my.npz", images=IMAGES // 16, labels=LABELS)
    assert data.load(str(path)).note.endswith(
        "; no value of the training images is above 15 of 255"
    )


def test_archives_and_other_files_are_told_what_to_do(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY")
    assert "or give a folder of class folders (an archive of images, unp" in refused(
        tmp_path / "x.npy"
    )
    path = archive(tmp_path / "x.zip", {"ant/0.png": PNG})
    assert refused(path).endswith("(it has none; unpack an archive of images)")


def test_constant_images_of_arrays_are_noted(tmp_path):
    images = IMAGES.copy()
    images[[3, 7]] = (1, 2, 3)
    note = data.load(str(npz(tmp_path / "my.npz", images=images, labels=LABELS))).note
    assert note.endswith("; images of one colour alone in images: 2, the first at index 3")


def test_titles_tell_data_sets_of_one_name_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = (
        "mnist",
        "a/data.npz",
        "b/data.npz",
        "x/mnist.npz",
        "c/other.npz",
        "p/q/v/d",
        "p/r/v/d",
    )
    assert tuple(data.titles(names).values()) == (
        *("mnist", "a_data", "b_data", "x_mnist", "other", "q_v_d", "r_v_d"),
    )
    assert tuple(data.titles(["d.npz", "./d.npz"]).values()) == ("d_1", "d_2")
    deep = [f"{side}/{'x' * 90}.npz" for side in "ab"]
    assert len(set(data.titles(deep).values())) == 2
