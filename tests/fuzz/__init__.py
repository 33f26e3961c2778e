"""Fuzzers: byte streams for the request parser, and random commands for a whole server in this process.

An input is made from a seed and a number alone, so that any of them can be repeated. `tools/fuzz.py` runs them for any
length of time; `tests/test_fuzz.py` runs a few of each.
"""
