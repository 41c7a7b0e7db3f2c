"""Garbage is not looked for before what is timed: in a whole suite that takes seconds."""

import gc

import pytest


@pytest.fixture(autouse=True)
def no_collection(monkeypatch):
    monkeypatch.setattr(gc, "collect", lambda: 0)
