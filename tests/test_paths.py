"""Paths as users type them."""

import pytest

from jaxact.errors import ConfigError
from jaxact.paths import local


@pytest.mark.parametrize(
    "path", ["x", "/x/y", "../~", "a:b", "x://", "C:/x", "./gs:/x", "bücher/図"]
)
def test_a_local_path_stays_as_it_is(path):
    assert local(path, "--workdir") == path


def test_the_home_of_the_user_is_put_in(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert local("~", "--workdir") == "/home/me"
    assert local("~/x", "--workdir") == "/home/me/x"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        *(
            (address, "local folders only")
            for address in ("gs://b/r", "s3://b", "gs:/b", "HTTP://x")
        ),
        ("file:///tmp/x", "local folders only"),
        ("~no-such-user/x", "no user ~no-such-user"),
        ("", "is empty"),
        ("/tmp/\udcff", "no text in UTF-8"),
        ("--config.epochs=1", "--workdir has no value"),
    ],
)
def test_what_is_no_local_path_is_refused_in_a_line(path, said):
    with pytest.raises(ConfigError, match=said) as refused:
        local(path, "--workdir")
    assert str(refused.value).startswith("--workdir")
    assert "\n" not in str(refused.value)


def test_a_folder_may_be_called_as_no_user_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~no-such-user").mkdir()
    assert local("~no-such-user", "--workdir") == "~no-such-user"
