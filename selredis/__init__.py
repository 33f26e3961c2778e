"""selredis: a Redis server in pure Python, one thread, one event loop over `selectors`."""

__version__ = '0.1.0'
