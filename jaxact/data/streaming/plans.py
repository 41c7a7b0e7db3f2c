"""Which images the batches of a stream hold: known to every thread and process that reads them."""

import os
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

_POLL_SECONDS = 0.005
_KEPT = 3  # orders: of the epoch at hand, the one before and the one after
_CLOSED = "the stream is closed: nobody draws orders any more"


class Plan(Protocol):
    """The places of images in a source, batch by batch."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> np.ndarray: ...


class Again(Sequence[np.ndarray]):
    """The batches of a split in its order, over and over.

    Args:
      places: in the source, integers `[examples]`.
      batch_size: of all batches but a round's last.
      rounds: how often.
    """

    def __init__(self, places: np.ndarray, batch_size: int, rounds: int):
        self._places, self._batch_size, self._rounds = places, batch_size, rounds
        self.batches = -(-len(places) // batch_size)

    def __len__(self) -> int:
        return self._rounds * self.batches

    def __getitem__(self, number):
        begin = (number % self.batches) * self._batch_size
        return self._places[begin : begin + self._batch_size]


class Orders(Protocol):
    """The orders of epochs: drawn in one thread of a run, and waited for where images are read."""

    def put(self, epoch: int, order: np.ndarray) -> None:
        """Has an order known, int32 `[examples]`; those long past are forgotten."""
        ...

    def get(self, epoch: int) -> np.ndarray:
        """An order, once it is known; raises RuntimeError where nobody will tell any more."""
        ...

    def close(self) -> None:
        """Ends all waiting."""
        ...


class OrdersInMemory:
    """`Orders` among the threads of a process."""

    def __init__(self) -> None:
        self._orders: dict[int, np.ndarray] = {}
        self._is_closed = False
        self._changed = threading.Condition()

    def put(self, epoch: int, order: np.ndarray) -> None:
        with self._changed:
            self._orders[epoch] = order
            self._orders.pop(epoch - _KEPT, None)
            self._changed.notify_all()

    def get(self, epoch: int) -> np.ndarray:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or epoch in self._orders)
            if self._is_closed:
                raise RuntimeError(_CLOSED)
            return self._orders[epoch]

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


class OrdersInFolder:
    """`Orders` among processes, which know a folder.

    Args:
      folder: of this alone; removed when it is closed.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._newest: tuple[int, np.ndarray] = -1, np.empty(0, np.int32)

    def put(self, epoch: int, order: np.ndarray) -> None:
        path = self._path(epoch)
        with open(unfinished := path.with_suffix(".unfinished"), "wb") as file:
            np.save(file, order)
        os.replace(unfinished, path)
        self._path(epoch - _KEPT).unlink(missing_ok=True)

    def get(self, epoch: int) -> np.ndarray:
        known, order = self._newest
        if known != epoch:
            path = self._path(epoch)
            while not path.exists():
                if not self.folder.exists():
                    raise RuntimeError(_CLOSED)
                time.sleep(_POLL_SECONDS)
            order = np.load(path)
            self._newest = epoch, order
        return order

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, epoch: int) -> Path:
        return self.folder / f"{epoch}.npy"


class Epochs(Sequence[np.ndarray]):
    """The batches of training, by step: those of an epoch follow from its order.

    Args:
      places: of the training images in the source, integers `[examples]`.
      batch_size: of every batch; what is left of an epoch is left out.
      epochs: as many as there are steps for.
      orders: of epochs.
    """

    def __init__(self, places: np.ndarray, batch_size: int, epochs: int, orders: Orders):
        self._places, self._batch_size, self._orders = places, batch_size, orders
        self._steps_per_epoch, self._epochs = len(places) // batch_size, epochs

    def __len__(self) -> int:
        return self._epochs * self._steps_per_epoch

    def __getitem__(self, number):
        epoch, step = divmod(number, self._steps_per_epoch)
        begin = step * self._batch_size
        return self._places[self._orders.get(epoch)[begin : begin + self._batch_size]]
