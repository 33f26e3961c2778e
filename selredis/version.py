"""The version of selredis, and that of Redis which clients are told.

Where versions of Redis differ, in the order of checks, in errors and in the form of replies, commands behave as in
REDIS_VERSION. Commands and options that came later are additions, as they change nothing for a client that does not
use them.
"""

import sys
from zlib import crc32

SELREDIS_VERSION = '0.1.0'
REDIS_VERSION = '7.2.4'

# What Redis reports when it wasn't built from a Git repository.
GIT_SHA1 = '00000000'
GIT_DIRTY = 0
ARCH_BITS = 64 if sys.maxsize > 1 << 32 else 32


def build_id() -> str:
    """Return a hexadecimal digest of the versions of selredis and Python, which identifies this program."""
    return f'{crc32(f"{SELREDIS_VERSION} {sys.version}".encode()):x}'
