"""selredis: a Redis server in pure Python, one thread, one event loop over `selectors`."""

from selredis.version import SELREDIS_VERSION

__version__ = SELREDIS_VERSION
