"""The sources of the image data: files, addresses, checksums. One row a data set."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from jaxact.data.dataset import Dataset, Split
from jaxact.data.formats import cifar, idx
from jaxact.errors import DataError


@dataclasses.dataclass(frozen=True)
class File:
    """A published file: its path below `data_dir/<data set>/`, checksums, and size in bytes.

    `sha256` and `size_bytes` are needed for files that are downloaded.
    """

    name: str
    md5: str
    sha256: str = ""
    size_bytes: int = 0


@dataclasses.dataclass(frozen=True)
class Layout:
    """Files that together hold the data set, and the function that reads their bytes."""

    files: tuple[File, ...]
    read: Callable[[Mapping[str, bytes]], tuple[Split, Split]]


@dataclasses.dataclass(frozen=True)
class Source:
    """A data set that is published as files.

    Attributes:
      name: the data set, and the folder of its files in `data_dir`.
      base_url: what precedes the name of every file; ends with a slash.
      download: the layout that is downloaded.
      layouts: the layouts that are read where they lie in `data_dir`, the preferred one first.
      image_shape: `(height, width, channels)`.
      class_names: one a class.
      augmentation: name of the default augmentation.
    """

    name: str
    base_url: str
    download: Layout
    layouts: tuple[Layout, ...]
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    augmentation: str = "none"

    def dataset(self, train: Split, test: Split) -> Dataset:
        """The splits as a `Dataset`; raises DataError where they are not what was published."""
        if train.images.shape[1:] != self.image_shape:
            raise DataError(
                f"{self.name}: images must be {self.image_shape}, got {train.images.shape[1:]}"
            )
        return Dataset(
            name=self.name,
            train=train,
            test=test,
            num_classes=len(self.class_names),
            class_names=self.class_names,
            augmentation=self.augmentation,
        )

    def by_hand(self, data_dir: Path) -> str:
        """The way without a download, in one sentence."""
        files = ", ".join(file.name for file in self.download.files)
        return f"put {files} from {self.base_url} into {data_dir / self.name}/"


_MNIST = Layout(
    files=(
        File(
            "train-images-idx3-ubyte.gz",
            md5="f68b3c2dcbeaaa9fbdd348bbdeb94873",
            sha256="440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            size_bytes=9_912_422,
        ),
        File(
            "train-labels-idx1-ubyte.gz",
            md5="d53e105ee54ea40749a09fcbcd1e9432",
            sha256="3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            size_bytes=28_881,
        ),
        File(
            "t10k-images-idx3-ubyte.gz",
            md5="9fb629c4189551a2d022fa330f9573f3",
            sha256="8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            size_bytes=1_648_877,
        ),
        File(
            "t10k-labels-idx1-ubyte.gz",
            md5="ec29112dd5afa0611ce80d1b7f02629c",
            sha256="f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            size_bytes=4_542,
        ),
    ),
    read=idx.read,
)

_FASHION_MNIST = Layout(
    files=(
        File(
            "train-images-idx3-ubyte.gz",
            md5="8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            sha256="3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            size_bytes=26_421_880,
        ),
        File(
            "train-labels-idx1-ubyte.gz",
            md5="25c81989df183df01b3e8a0aad5dffbe",
            sha256="a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            size_bytes=29_515,
        ),
        File(
            "t10k-images-idx3-ubyte.gz",
            md5="bef4ecab320f06d8554ea6380940ec79",
            sha256="346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            size_bytes=4_422_102,
        ),
        File(
            "t10k-labels-idx1-ubyte.gz",
            md5="bb300cfdad3c16e7a12a480ee83cd310",
            sha256="67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            size_bytes=5_148,
        ),
    ),
    read=idx.read,
)

_CIFAR10_BINARY = Layout(
    files=(
        File(
            cifar.BINARY_ARCHIVE,
            md5="c32a1d4ab5d03f1284b67883e8d87530",
            sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            size_bytes=170_052_171,
        ),
    ),
    read=cifar.read_binary_archive,
)

_CIFAR10_PYTHON = Layout(
    files=(File(cifar.PYTHON_ARCHIVE, md5="c58f30108f718f92721af3b95e74349a"),),
    read=cifar.read_python_archive,
)

_CIFAR10_FOLDER = Layout(
    files=tuple(
        File(f"{cifar.PYTHON_FOLDER}/{batch}", md5)
        for batch, md5 in {
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "40351d587109b95175f43aff81a1287e",
        }.items()
    ),
    read=cifar.read_python_folder,
)

SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source(
            name="mnist",
            base_url="https://storage.googleapis.com/cvdf-datasets/mnist/",
            download=_MNIST,
            layouts=(_MNIST,),
            image_shape=(28, 28, 1),
            class_names=tuple("0123456789"),
        ),
        Source(
            name="fashion_mnist",
            base_url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            download=_FASHION_MNIST,
            layouts=(_FASHION_MNIST,),
            image_shape=(28, 28, 1),
            class_names=(
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ),
        ),
        Source(
            name="cifar10",
            base_url="https://www.cs.toronto.edu/~kriz/",
            download=_CIFAR10_BINARY,
            layouts=(_CIFAR10_FOLDER, _CIFAR10_BINARY, _CIFAR10_PYTHON),
            image_shape=cifar.IMAGE_SHAPE,
            class_names=(
                "airplane",
                "automobile",
                "bird",
                "cat",
                "deer",
                "dog",
                "frog",
                "horse",
                "ship",
                "truck",
            ),
            augmentation="crop_flip",
        ),
    )
}
