#!/usr/bin/env python3
"""Measures selredis beside redis-server in one run: speed, fan-out, load, tails, start, memory, data types.

    python3 tools/bench.py                                  everything, about 15 minutes
    python3 tools/bench.py --quick --only speed,memory      a first impression
    python3 tools/bench.py --types                          the data types: speed, growth with size, memory
    python3 tools/bench.py --markdown --json samples.json   for the README, and every sample
    python3 tools/bench.py --server 'CMD --port {port}'     another server in selredis's place

The program is the package tools/benchmark; its __init__ says what is measured and how.
"""

import runpy
import sys
from pathlib import Path

if __name__ == '__main__':
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    runpy.run_module('tools.benchmark', run_name='__main__')
