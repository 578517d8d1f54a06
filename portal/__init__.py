"""The shell: settings, frame, tables and everything else that depends on no other app here."""

VERSION = "1.0.0"
