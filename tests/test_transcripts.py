"""Every transcript is played against selredis, in RESP2 and RESP3."""

from pathlib import Path

import pytest

from tests.harness.servers import SelredisServer
from tests.harness.stage import SocketStage, replay
from tests.harness.transcript import Protocol, all_paths, name_of, read, write

CASES = [
    pytest.param(path, protocol, id=f'{name_of(path)}-RESP{protocol}')
    for path in all_paths()
    for protocol in read(path).protocols
]


@pytest.mark.parametrize(('path', 'protocol'), CASES)
def test_over_sockets(path: Path, protocol: Protocol, selredis_server: SelredisServer):
    transcript = read(path)
    replay(SocketStage(selredis_server.address, transcript, protocol), transcript, protocol)


@pytest.mark.parametrize('path', all_paths(), ids=name_of)
def test_is_written_as_it_was_read(path: Path):
    assert write(read(path)) == path.read_text(encoding='utf-8')
