"""The servers of the study: how each is started, and whether it can be here."""

import importlib.util
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tools.study.results import Contestant


@dataclass
class Startable(Contestant):
    """A contestant and how it is started: argv with {port} where the port goes.

    `needs` is a package or a program without which it cannot run.
    """

    argv: Sequence[str]
    needs: str = ''

    @property
    def missing(self) -> str:
        """Why it cannot run here; empty if it can."""
        if not self.needs or importlib.util.find_spec(self.needs) or shutil.which(self.needs):
            return ''
        return f'{self.needs} is not installed'


def _python(module: str, *options: str) -> list[str]:
    return [sys.executable, '-m', module, '--port', '{port}', '--bind', '127.0.0.1', *options]


ASYNCIO = 'tools.study.asyncio_server'

CONTESTANTS = [
    Startable('selectors', 'selectors loop', 'driver', _python('selredis')),
    Startable('asyncio', 'asyncio protocol', 'driver', _python(ASYNCIO)),
    Startable('asyncio-now', 'asyncio protocol, writing at once', 'driver', _python(ASYNCIO, '--flush', 'now')),
    Startable('streams', 'asyncio streams', 'driver', _python('tools.study.streams_server')),
    Startable('uvloop', 'asyncio protocol on uvloop', 'driver', _python(ASYNCIO, '--loop', 'uvloop'), 'uvloop'),
    Startable(
        'redis-server',
        'redis-server',
        'reference',
        ['redis-server', '--port', '{port}', '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
        'redis-server',
    ),
    Startable(
        'fakeredis',
        "fakeredis's TcpFakeServer",
        'reference',
        [sys.executable, '-m', 'tools.study.fakeredis_server', '--port', '{port}'],
        'fakeredis',
    ),
]
