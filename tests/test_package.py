"""What the package says of itself."""

import tomllib

from selredis.version import SELREDIS_VERSION
from tests.harness.servers import ROOT


def test_the_package_has_the_version_of_the_server():
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text(encoding='utf-8'))['project']
    assert project['version'] == SELREDIS_VERSION
