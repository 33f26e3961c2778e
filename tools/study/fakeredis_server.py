"""fakeredis's TcpFakeServer as a program, for scale."""

import argparse
import signal
import sys

from fakeredis import TcpFakeServer


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs fakeredis's TcpFakeServer until it is told to stop.")
    parser.add_argument('--port', type=int, required=True)
    port = parser.parse_args().port
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with TcpFakeServer(('127.0.0.1', port), server_type='redis') as server:
        server.serve_forever()
    return 0


if __name__ == '__main__':
    sys.exit(main())
