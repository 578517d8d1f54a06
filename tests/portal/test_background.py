"""Jobs that come round in each server process."""

import threading

import pytest

from portal import background


@pytest.fixture
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run only the jobs of the test."""
    monkeypatch.setattr(background, "rounds", [])


@pytest.mark.usefixtures("_alone", "transactional_db")
def test_a_job_comes_round_although_another_one_fails() -> None:
    done = threading.Semaphore(0)

    def fail() -> None:
        raise ValueError

    background.every(0.01, fail)
    background.every(0.01, done.release)
    thread = background.start()
    assert all(done.acquire(timeout=30) for _ in range(3))
    background.end()
    thread.join(30)
    assert not thread.is_alive()
