#!/usr/bin/env python3
"""Measures the drivers side by side, stores every sample, and makes a page of them.

    python3 tools/study/run.py                          everything, about 35 minutes
    python3 tools/study/run.py --quick                  a first impression, under two minutes
    python3 tools/study/run.py --only fan-out,churn --contestants selectors,asyncio --rounds 9

The program is tools/study/measurement.py.
"""

import runpy
import sys
from pathlib import Path

if __name__ == '__main__':
    sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)
    runpy.run_module('tools.study.measurement', run_name='__main__')
