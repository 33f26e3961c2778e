"""`python3 -m selredis`."""

import sys

from selredis.cli import main

if __name__ == '__main__':
    sys.exit(main())
