#!/usr/bin/env python3
"""Makes a page of what a run of the study has stored: figures and tables in one HTML file.

    python3 tools/study/report.py FILE                    the page, beside FILE
    python3 tools/study/report.py FILE -o page.html       the page, elsewhere
    python3 tools/study/report.py FILE --figure main.svg  the main figure alone, for a README
    python3 tools/study/report.py FILE --markdown         the main table, for a README

The program is the module tools/study/page.py.
"""

import runpy
import sys
from pathlib import Path

if __name__ == '__main__':
    sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)
    runpy.run_module('tools.study.page', run_name='__main__')
