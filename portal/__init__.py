"""The shell: settings, frame, tables and everything else that knows no other app of the project."""

VERSION = "1.0.0"
