#!/usr/bin/env python
"""Django's command line for the portal."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        # A setting that is missing or wrong is the operator's to mend: a sentence says more than a
        # stack trace.
        sys.exit(f"The portal cannot start: {problem}")
    except OperationalError as problem:
        sys.exit(f"The database refuses: {problem}")
