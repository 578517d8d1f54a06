"""`make sbom` writes a bill of materials that says of each package what the lock file says."""

import json
import re
import subprocess

import pytest

from tests.server import ROOT

TOOL = ROOT / ".venv-tools" / "bin" / "cyclonedx-py"


def locked() -> dict[tuple[str, str], set[str]]:
    """Return the hashes of each package and version in requirements.lock."""
    found: dict[tuple[str, str], set[str]] = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if package := re.match(r"([\w.-]+)==([^\s;]+)", line):
            hashes = found.setdefault((package[1], package[2]), set())
        elif digest := re.match(r"\s+--hash=sha256:([0-9a-f]{64})", line):
            hashes.add(digest[1])
    return found


@pytest.mark.skipif(not TOOL.exists(), reason="The tool is not there: make installed-tools")
def test_every_locked_package_is_in_it_with_its_version_and_hashes() -> None:
    file = ROOT / "var" / "sbom.json"
    file.unlink(missing_ok=True)
    # Not the steps before, which would install what is missing.
    subprocess.run(["make", "-o", "installed-tools", "sbom"], cwd=ROOT, check=True)
    written = json.loads(file.read_text())
    assert written["bomFormat"] == "CycloneDX"
    listed = {
        (each["name"], each["version"]): {
            digest["content"]
            for source in each["externalReferences"]
            for digest in source.get("hashes", ())
        }
        for each in written["components"]
    }
    assert len(listed) > 20
    assert listed == locked()
