"""Which selredis this is, and which Redis it is to its clients."""

SELREDIS_VERSION = '0.1.0'
REDIS_VERSION = '7.2.4'
