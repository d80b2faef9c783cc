"""One embedded cloud for all conformance tests, and one strict look at all of its answers."""

import pytest

import kit


@pytest.fixture(scope="session")
def desk():
    desk = kit.Desk()
    yield desk
    desk.close()


@pytest.fixture(scope="session")
def served(desk):
    served = kit.Served(desk, "--rates", "off", "--fault", "rollout=0s", "--fault", "rollout-skew=0s")
    yield served
    served.close()


@pytest.fixture(scope="session")
def strict():
    return kit.Strict()


@pytest.fixture(scope="session")
def waf(served, strict):
    return kit.client("wafv2", served.url, strict)


@pytest.fixture(scope="session")
def cloudfront(served, strict):
    return kit.client("cloudfront", served.url, strict)


@pytest.fixture(autouse=True)
def every_answer_fits_its_shape(strict):
    """Fails the test whose answers have members too many or too few, or of another type."""
    strict.problems.clear()
    yield
    assert not strict.problems, "\n".join(strict.problems)
