"""A name whose DNS server says nothing, beside endpoints that are well.

The worker gets a resolv.conf of its own, in which the only server is a socket that never answers.
"""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webhooks.engine.conftest import MakeWebhook, happen, seen
from tests.webhooks.engine.receiver import Receiver
from tests.webhooks.engine.test_running import until, working
from webhooks.models import Attempt, Delivery

pytestmark = pytest.mark.django_db(transaction=True)

SILENT = "127.0.0.53"
MOUNT = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'


@pytest.fixture
def own_resolver(tmp_path: Path) -> Iterator[list[str]]:
    """Return the beginning of a command that asks a DNS server which never answers."""
    file = tmp_path / "resolv.conf"
    file.write_text(f"nameserver {SILENT}\noptions timeout:10 attempts:1\n")
    unshare = shutil.which("unshare") or "unshare"
    command = [unshare, "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh", str(file)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        try:
            silent.bind((SILENT, 53))
            subprocess.run([*command, "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("This user may not take port 53, or mount.")
        yield command


def test_a_name_that_is_looked_up_for_seconds_delays_no_other(
    make_webhook: MakeWebhook, receiver: Receiver, own_resolver: list[str]
) -> None:
    lost = happen(make_webhook("http://never.answered.example/hook"), 20)
    good = happen(make_webhook(receiver.url), 40)
    with working(before=own_resolver) as worker:
        until(lambda: all(seen(each).state == "delivered" for each in good))
        # Those are still being looked up: the others have not waited for them.
        assert not Attempt.objects.filter(delivery__in=lost).exists()
        assert Delivery.objects.exclude(claimed_by="").count() == 8
        until(lambda: Attempt.objects.filter(delivery__in=lost).count() == 8, 60)
        assert worker.poll() is None
    outcomes = Attempt.objects.filter(delivery__in=lost).values_list("outcome", flat=True)
    assert set(outcomes) == {"connect_timeout"}
