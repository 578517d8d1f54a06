"""How the scripts talk to the tests: each question is a line of JSON, and so is its answer."""

import json
import sys
import traceback
from collections.abc import Callable
from typing import Any

from connect.client import ClientError


def serve(answer: Callable[..., Any]) -> None:
    """Answer each question of standard input with `answer(**question)`, until it ends."""
    for line in sys.stdin:
        try:
            told = {"gave": answer(**json.loads(line))}
        except ClientError as error:
            told = {
                "refused": {
                    "status": error.status_code,
                    "code": error.error_code,
                    "errors": error.errors,
                    "text": str(error),
                }
            }
        except Exception:
            told = {"raised": traceback.format_exc()}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
