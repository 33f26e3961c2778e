"""Data types: no keys, no clients.

A string is plain `bytes`; a `bytearray` once it was changed in place, an `int` once it was counted up or down.
"""
