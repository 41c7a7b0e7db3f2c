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


def _cifar(
    form: cifar.Form, binary: File, python_md5: str, batches_md5: tuple[str, ...]
) -> tuple[Layout, Layout, Layout]:
    """The batches in their folder, the binary archive, and the archive of batches."""
    names = [f"{form.python_folder}/{batch}" for batch in form.batches]
    return (
        Layout(tuple(map(File, names, batches_md5)), form.read_python_folder),
        Layout((binary,), form.read_binary_archive),
        Layout((File(form.python_archive, python_md5),), form.read_python_archive),
    )


_CIFAR10 = _cifar(
    cifar.CIFAR10,
    File(
        cifar.CIFAR10.binary_archive,
        md5="c32a1d4ab5d03f1284b67883e8d87530",
        sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        size_bytes=170_052_171,
    ),
    python_md5="c58f30108f718f92721af3b95e74349a",
    batches_md5=(
        "c99cafc152244af753f735de768cd75f",
        "d4bba439e000b95fd0a9bffe97cbabec",
        "54ebc095f3ab1f0389bbae665268c751",
        "634d18415352ddfa80567beed471001a",
        "482c414d41f54cd18b22e5b47cb7c3cb",
        "40351d587109b95175f43aff81a1287e",
    ),
)

_CIFAR100 = _cifar(
    cifar.CIFAR100,
    File(
        cifar.CIFAR100.binary_archive,
        md5="03b5dce01913d631647c71ecec9e9cb8",
        sha256="58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        size_bytes=168_513_733,
    ),
    python_md5="eb9058c3a382ffc7106e4002c42a8d85",
    batches_md5=("16019d7e3df5f24257cddd939b257f8d", "f0ef6b0ae62326f3e7ffdfab6717acfc"),
)

_CIFAR100_CLASSES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup
dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower
leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid
otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray
road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
wardrobe whale willow_tree wolf woman worm
"""

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
            download=_CIFAR10[1],
            layouts=_CIFAR10,
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
        Source(  # by its 100 fine labels
            name="cifar100",
            base_url="https://www.cs.toronto.edu/~kriz/",
            download=_CIFAR100[1],
            layouts=_CIFAR100,
            image_shape=cifar.IMAGE_SHAPE,
            class_names=tuple(_CIFAR100_CLASSES.split()),
            augmentation="crop_flip",
        ),
    )
}
