"""Measures what the README says about speed: `make bench`. Not a test: the figures depend on the machine."""
