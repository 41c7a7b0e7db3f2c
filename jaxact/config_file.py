"""Files of `--config`: found, run, and what is wrong with one said in a line."""

import sys
import traceback
import types
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from jaxact import paths
from jaxact.errors import ConfigError, JaxactError, did_you_mean

PACKAGE = Path(__file__).parent
PATTERN = (
    "def get_config(): config = jaxact.config.default_config(); config.epochs = 5; return config"
)
_MODULE = "jaxact_config_file"
_MOST_CHARACTERS = 300  # of what a file's own error says


def own_folder() -> Path:
    """The folder of jaxact's own config files: within an installed package, or of the checkout.

    Beside an installed package lie those of others: a `configs` there is not jaxact's.
    """
    packaged, checkout = PACKAGE / "configs", PACKAGE.parent
    is_checkout = not packaged.is_dir() and (checkout / "pyproject.toml").is_file()
    return checkout / "configs" if is_checkout else packaged


def locate(path: str) -> tuple[Path, list[str]]:
    """A config file as the user names it, else the one of that name that comes with jaxact.

    Args:
      path: may carry an argument for the file behind a colon, as in `configs/mnist.py:paper`.

    Returns:
      The file, and the argument if there is one.

    Raises:
      ConfigError: there is no such file.
    """
    file, *argument = paths.local(path, "--config").split(":", 1)
    own = sorted(own_folder().glob("[!_]*.py"))
    candidates = [Path(file), *(p for p in own if Path(file) == Path("configs") / p.name)]
    try:
        return next(candidate for candidate in candidates if candidate.is_file()), argument
    except (StopIteration, OSError, ValueError) as error:
        known = [f"configs/{p.name}" for p in own]
        raise ConfigError(
            f"--config={path}: there is no file {file}{did_you_mean(file, known)} (jaxact has "
            f"{', '.join(known) or 'none'})"
        ) from error


def load(path: str) -> dict[str, Any]:
    """The fields that the `get_config` of a file returns.

    Args:
      path: as `locate` takes it.

    Raises:
      ConfigError: there is no such file, it fails, or returns something else; says where and why.
    """
    file, argument = locate(path)
    module = types.ModuleType(_MODULE)
    module.__file__ = str(file)
    sys.modules[_MODULE] = module  # what the file defines finds its own module there
    try:
        exec(compile(file.read_bytes(), str(file), "exec"), vars(module))
        get_config = vars(module).get("get_config")
        if not callable(get_config):
            raise ConfigError(f"it defines no get_config; begin with `{PATTERN}`")
        config = get_config(*argument)
        if not isinstance(config, ConfigDict):
            kind = "nothing" if config is None else f"a {type(config).__name__}"
            raise ConfigError(f"get_config() returned {kind}, not a ConfigDict: `{PATTERN}`")
        return config.to_dict()
    except JaxactError as error:
        raise ConfigError(f"--config={path}: {error}") from error
    except (Exception, SystemExit) as error:
        raise ConfigError(f"--config={path}: {_cause(error, file)}") from error


def _cause(error: BaseException, file: Path) -> str:
    """The failure in a file, and on which of its lines: `mine.py, line 3: NameError: ...`."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return f"line {error.lineno}: {type(error).__name__}: {error.msg}"
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(file)
    ]
    where = f"line {lines[-1]}: " if lines else ""
    text = " ".join(str(error).split())[:_MOST_CHARACTERS]
    return f"{where}{type(error).__name__}{': ' * bool(text)}{text}"
