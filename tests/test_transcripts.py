"""Every transcript is played against selredis: in RESP2 and RESP3, what clients say whole and in single bytes.

And once more against redis-server, so that no expectation comes from memory.
"""

from pathlib import Path

import pytest

from tests.harness.in_process import Cut, InProcessStage, single_bytes, whole
from tests.harness.servers import ReferenceServer, SelredisServer
from tests.harness.stage import SocketStage, replay
from tests.harness.transcript import Protocol, all_paths, name_of, read, write

CASES = [
    pytest.param(path, protocol, id=f'{name_of(path)}-RESP{protocol}')
    for path in all_paths()
    for protocol in read(path).protocols
]


@pytest.mark.parametrize('cut', [whole, single_bytes], ids=['whole', 'single-bytes'])
@pytest.mark.parametrize(('path', 'protocol'), CASES)
def test_in_process(path: Path, protocol: Protocol, cut: Cut):
    replay(InProcessStage(protocol, cut), read(path), protocol)


@pytest.mark.parametrize(('path', 'protocol'), CASES)
def test_over_tcp(path: Path, protocol: Protocol, selredis_server: SelredisServer):
    transcript = read(path)
    replay(SocketStage(selredis_server.address, transcript, protocol), transcript, protocol)


@pytest.mark.parametrize(('path', 'protocol'), CASES)
def test_as_recorded(path: Path, protocol: Protocol, reference: ReferenceServer):
    transcript = read(path)
    replay(SocketStage(reference.address, transcript, protocol), transcript, protocol, on_reference=True)


@pytest.mark.parametrize('path', all_paths(), ids=name_of)
def test_is_written_as_it_was_read(path: Path):
    assert write(read(path)) == path.read_text(encoding='utf-8')
