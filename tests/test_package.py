"""What the package says of itself."""

import subprocess
import sys
import tomllib

from selredis.version import SELREDIS_VERSION
from tests.harness.servers import ROOT


def test_the_package_has_the_version_of_the_server():
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text(encoding='utf-8'))['project']
    assert project['version'] == SELREDIS_VERSION


def test_a_server_without_tls_and_passwords_does_not_load_openssl():
    program = 'import sys, selredis.__main__; print({"_ssl", "_hashlib"} & set(sys.modules) or "neither")'
    told = subprocess.run([sys.executable, '-c', program], check=True, capture_output=True, text=True, cwd=ROOT)
    assert told.stdout == 'neither\n'
