"""Programs that check whether a call comes from the portal, for the page of a webhook."""

from typing import NamedTuple

# Both check the JWT, which anything that knows Connect expects, and then the signature of the body.
PYTHON = """\
# pip install pyjwt
import base64, hashlib, hmac, os, time
import jwt

def verify(headers: dict[str, str], body: bytes) -> None:
    \"\"\"Raise unless the portal sent this. Names of headers are lower case.\"\"\"
    token = headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, os.environ["JWT_SECRET"], algorithms=["HS256"])
    assert claims["webhook_id"] == "{webhook}"

    sent = "{{webhook-id}}.{{webhook-timestamp}}.".format(**headers).encode() + body
    key = base64.b64decode(os.environ["SIGNING_SECRET"].removeprefix("whsec_"))
    mark = hmac.new(key, sent, hashlib.sha256).digest()
    ours = "v1," + base64.b64encode(mark).decode()
    theirs = headers["webhook-signature"].split()
    assert any(hmac.compare_digest(ours, each) for each in theirs)
    assert abs(time.time() - int(headers["webhook-timestamp"])) < 300"""
JAVASCRIPT = """\
import {{ createHmac, timingSafeEqual }} from "node:crypto";

const same = (a, b) =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/** Throw unless the portal sent this. Headers are as in Node; the body is a Buffer. */
export const verify = (headers, body) => {{
  const [head, claims, mark] = headers.authorization.replace("Bearer ", "").split(".");
  const jwt = createHmac("sha256", process.env.JWT_SECRET)
    .update(`${{head}}.${{claims}}`)
    .digest("base64url");
  const {{ webhook_id: id, exp }} = JSON.parse(Buffer.from(claims, "base64url"));
  const key = Buffer.from(process.env.SIGNING_SECRET.replace("whsec_", ""), "base64");
  const ours = createHmac("sha256", key)
    .update(`${{headers["webhook-id"]}}.${{headers["webhook-timestamp"]}}.`)
    .update(body)
    .digest("base64");
  const theirs = headers["webhook-signature"].split(" ");
  const seconds = Date.now() / 1000;
  if (
    !same(jwt, mark) ||
    id !== "{webhook}" ||
    exp < seconds ||
    !theirs.some((each) => same(`v1,${{ours}}`, each)) ||
    Math.abs(seconds - headers["webhook-timestamp"]) > 300
  ) {{
    throw new Error("not from the portal");
  }}
}};"""


class Example(NamedTuple):
    """A program; `id` is the id of its HTML element."""

    id: str
    language: str
    code: str


def examples(webhook_id: str) -> list[Example]:
    """Return the check in each language; the secrets are read from the environment."""
    programs = (("python", "Python", PYTHON), ("javascript", "JavaScript", JAVASCRIPT))
    return [
        Example(f"verify-{name}", language, code.format(webhook=webhook_id))
        for name, language, code in programs
    ]
