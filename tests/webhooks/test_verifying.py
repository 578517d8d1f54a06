"""The programs on the page of a webhook tell the portal's calls from others."""

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest

from webhooks.verifying import examples

WEBHOOK = "WH-833-608-476"
BODY = '{"webhook_id": "WH-833-608-476", "data": {"größe": 1}}'.encode()
JWT_SECRET = "JWT-0123456789abcdef0123456789abcdef01234567"
KEY = bytes(range(32))
SIGNING_SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def mark(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()


def headers(**claims: object) -> dict[str, str]:
    """Return the headers of a call as two independent specifications say: RFC 7519 and SW."""
    head = b64(b'{"alg":"HS256","typ":"JWT"}')
    now = int(time.time())
    told = b64(json.dumps({"webhook_id": WEBHOOK, "exp": now + 600, **claims}).encode())
    token = f"{head}.{told}"
    sent = f"WHD-1.{now}.".encode() + BODY
    right = base64.b64encode(mark(KEY, sent)).decode()
    return {
        "authorization": f"Bearer {token}.{b64(mark(JWT_SECRET.encode(), token.encode()))}",
        "webhook-id": "WHD-1",
        "webhook-timestamp": str(now),
        # While a secret is changed, there are two.
        "webhook-signature": f"v1,{base64.b64encode(bytes(32)).decode()} v1,{right}",
    }


def old() -> dict[str, str]:
    sent = headers()
    at = str(int(time.time()) - 3600)
    right = mark(KEY, f"WHD-1.{at}.".encode() + BODY)
    signature = f"v1,{base64.b64encode(right).decode()}"
    return {**sent, "webhook-timestamp": at, "webhook-signature": signature}


CALLS: dict[str, tuple[Callable[[], dict[str, str]], bytes, bool]] = {
    "right": (headers, BODY, True),
    "another body": (headers, BODY + b" ", False),
    "another webhook": (lambda: headers(webhook_id="WH-1"), BODY, False),
    "an old token": (lambda: headers(exp=int(time.time()) - 60), BODY, False),
    "an old call": (old, BODY, False),
    "another signature": (lambda: {**headers(), "webhook-signature": "v1,AAAA"}, BODY, False),
    "another token": (
        lambda: {**headers(), "authorization": headers()["authorization"][:-4] + "AAAA"},
        BODY,
        False,
    ),
}
SECRETS = {"JWT_SECRET": JWT_SECRET, "SIGNING_SECRET": SIGNING_SECRET}


def code(language: str) -> str:
    return next(each.code for each in examples(WEBHOOK) if each.language == language)


@pytest.mark.parametrize("name", CALLS)
def test_the_program_in_python_accepts_the_right_call_alone(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable, value in SECRETS.items():
        monkeypatch.setenv(variable, value)
    made, body, passes = CALLS[name]
    program: dict[str, Callable[..., None]] = {}
    exec(code("Python"), program)  # noqa: S102 (the program under test)
    if passes:
        program["verify"](made(), body)
    else:
        with pytest.raises((AssertionError, ValueError, jwt.PyJWTError)):
            program["verify"](made(), body)


@pytest.mark.parametrize("name", CALLS)
def test_the_program_in_javascript_accepts_the_right_call_alone(tmp_path: Path, name: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node")
    made, body, passes = CALLS[name]
    call = json.dumps({"headers": made(), "body": body.decode()})
    (tmp_path / "verify.mjs").write_text(code("JavaScript"))
    (tmp_path / "run.mjs").write_text(
        'import { verify } from "./verify.mjs";\n'
        f"const call = {call};\n"
        "verify(call.headers, Buffer.from(call.body));\n"
    )
    done = subprocess.run(
        [node, tmp_path / "run.mjs"], env=SECRETS, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) == passes, done.stderr
    if not passes:
        assert "not from the portal" in done.stderr
