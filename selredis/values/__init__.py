"""Data types: no keys, no clients. A string is plain `bytes`, or `bytearray` once changed in place."""
