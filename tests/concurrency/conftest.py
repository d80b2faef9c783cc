"""A desk of its own for every test."""

import pytest

import kit


@pytest.fixture
def desk():
    desk = kit.Desk()
    yield desk
    desk.close()
