"""The benchmark behind the figures in the README and docs/benchmarks.md, run by `make bench`.

It is not a test: the figures depend on the machine.
"""
