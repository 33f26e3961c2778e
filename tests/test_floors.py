"""tools/floors.py is fed trees that break one rule each; a check that cannot fail would be none."""

from pathlib import Path

import pytest

from tools import floors
from tools.floors import MAX_LINES, WARN_LINES, check

SOUND = {
    '__init__.py': 'from selredis.embedded import serve\n',
    'errors.py': 'import os\n',
    'resp/__init__.py': '',
    'resp/reply.py': 'from selredis.errors import ReplyError\n',
    'resp/parser.py': 'from selredis.resp.reply import Map\nfrom selredis.resp import reply\n',
    'engine/__init__.py': '',
    'engine/client.py': 'from ..resp.parser import Parser\n',
    'net/__init__.py': '',
    'net/loop.py': 'import selectors\n',
    'embedded.py': 'import threading\nimport selredis.net.loop\n',
}


@pytest.fixture
def tree(tmp_path: Path):
    def build(changed: dict[str, str]) -> tuple[list[str], list[str]]:
        for name, source in {**SOUND, **changed}.items():
            path = tmp_path / 'selredis' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return check(tmp_path)

    return build


def test_a_sound_tree_passes(tree):
    assert tree({}) == ([], [])


def test_an_empty_tree_is_a_fault(tmp_path):
    faults, _ = check(tmp_path)
    assert faults == ['selredis: no files there']


@pytest.mark.parametrize(
    ('name', 'source', 'fault'),
    [
        (
            'errors.py',
            'from selredis.resp.reply import Map\n',
            'errors.py:1: floor 0 imports upward: selredis.resp.reply',
        ),
        ('errors.py', 'from selredis.resp import reply\n', 'errors.py:1: floor 0 imports upward: selredis.resp.reply'),
        ('errors.py', 'import selredis.net.loop as loop\n', 'errors.py:1: floor 0 imports upward: selredis.net.loop'),
        ('errors.py', 'from .net import loop\n', 'errors.py:1: floor 0 imports upward: selredis.net.loop'),
        ('errors.py', 'from selredis import serve\n', 'errors.py:1: floor 0 imports upward: selredis is on floor 8'),
        ('resp/reply.py', 'from ..engine.client import Client\n', 'reply.py:1: floor 1 imports upward'),
        ('resp/__init__.py', 'from ..engine import client\n', 'resp/__init__.py:1: floor 1 imports upward'),
        (
            'resp/reply.py',
            'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from selredis.engine.client import Client\n',
            'reply.py:3: floor 1 imports upward: selredis.engine.client is on floor 4',
        ),
        ('net/loop.py', 'import asyncio\n', 'loop.py:1: imports asyncio'),
        ('net/loop.py', 'from asyncio.events import Handle\n', 'loop.py:1: imports asyncio'),
        ('embedded.py', 'import asyncio\n', 'embedded.py:1: imports asyncio'),
        ('net/loop.py', 'import threading\n', 'loop.py:1: imports threading'),
        ('net/loop.py', 'from concurrent.futures import Future\n', 'loop.py:1: imports concurrent'),
        ('errors.py', 'def f():\n    import os\n', 'errors.py:2: an import inside a function or class'),
        ('errors.py', 'def f():\n    from ssl import SSLError\n', 'errors.py:2: an import inside a function or class'),
        ('errors.py', 'class C:\n    if 1:\n        import os\n', 'errors.py:3: an import inside a function or class'),
        ('errors.py', 'import hiredis\n', 'errors.py:1: imports hiredis, which is not in the standard library'),
        ('errors.py', 'from tests.harness import wire\n', 'errors.py:1: imports tests, which is not in the'),
        ('misc.py', '', 'selredis/misc.py: give it a floor'),
        ('utils/text.py', '', 'selredis/utils/text.py: give it a floor'),
        ('errors/text.py', '', 'selredis/errors/text.py: give it a floor'),
        ('errors.py', '\n' * (MAX_LINES + 1), f'errors.py: {MAX_LINES + 1} lines, more than {MAX_LINES}'),
        (
            'resp/reply.py',
            'from selredis.resp.parser import Parser\n',
            'imports go in a circle: selredis.resp.parser -> selredis.resp.reply -> selredis.resp.parser',
        ),
    ],
)
def test_a_broken_rule_is_one_fault(tree, name, source, fault):
    faults, _ = tree({name: source})
    assert len(faults) == 1, faults
    assert fault in faults[0]


def test_what_is_dear_may_be_imported_late(tree):
    source = (
        'def f():\n    from hashlib import sha256\n    import hmac\n    from selredis.net.tls import make_context\n'
    )
    assert tree({'server.py': source, 'net/tls.py': ''}) == ([], [])


def test_imports_for_types_count_as_others(tree):
    source = 'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from selredis.resp.parser import Parser\n'
    (fault,), _ = tree({'resp/reply.py': source})
    assert 'in a circle' in fault


def test_a_listed_circle_of_types_passes(tree, monkeypatch):
    monkeypatch.setattr(floors, 'TYPE_CIRCLES', {('selredis.resp.reply', 'selredis.resp.parser'): 'a reason'})
    source = 'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from selredis.resp.parser import Parser\n'
    assert tree({'resp/reply.py': source}) == ([], [])


def test_a_long_file_is_warned_about(tree):
    faults, warnings = tree({'errors.py': '\n' * (WARN_LINES + 1)})
    assert faults == []
    assert len(warnings) == 1
