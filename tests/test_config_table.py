"""The table of parameters beside redis-server's: names, aliases, defaults, and what may be set while it runs."""

import pytest

from selredis.config import Config
from selredis.config_table import BY_NAME, OUTDATED, PARAMETERS
from tests.harness.servers import ReferenceServer
from tests.harness.wire import WireClient

# Named by the harness, or since 7.2 as they are here.
STARTED_WITH = {'dir', 'enable-debug-command', 'port', 'unixsocket'}
SINCE_7_2 = {
    'aof-disable-auto-gc': 'hidden',
    'cluster-allow-pubsubshard-when-down': 'new',
    'cluster-announce-human-nodename': 'new',
    'locale-collate': 'new',
    'set-max-listpack-entries': 'new',
    'set-max-listpack-value': 'new',
}


@pytest.fixture(scope='module')
def theirs(reference: ReferenceServer) -> dict[str, bytes]:
    with WireClient(reference.address) as client:
        words = [reply.text for reply in client('CONFIG', 'GET', '*').items]
    return {name.decode(): value for name, value in zip(words[::2], words[1::2], strict=True)}


def test_names_and_aliases(theirs: dict[str, bytes]) -> None:
    ours = {name for parameter in PARAMETERS for name in parameter.names() if not parameter.hidden}
    assert theirs.keys() - ours == {name for name, change in SINCE_7_2.items() if change == 'hidden'}
    assert ours - theirs.keys() <= {name for name, change in SINCE_7_2.items() if change == 'new'}


def test_defaults(theirs: dict[str, bytes]) -> None:
    ours = Config().matching([b'*'])
    other = {
        name: (value, ours[name.encode()])
        for name, value in theirs.items()
        if name.encode() in ours and name not in STARTED_WITH and value != ours[name.encode()]
    }
    assert other == {}


def test_what_cannot_be_set_while_it_runs(theirs: dict[str, bytes], reference: ReferenceServer) -> None:
    wrong = []
    with WireClient(reference.address) as client:
        for name, value in theirs.items():
            # The second name is unknown, so nothing is ever set.
            answer = client('CONFIG', 'SET', name, value, 'no-such-name', '').text.decode()
            parameter = BY_NAME[name.encode()]
            if ("can't set immutable" in answer, "can't set protected" in answer) != (
                parameter.immutable,
                parameter.protected,
            ):
                wrong.append((name, answer))
    assert wrong == []


def test_no_name_is_both_read_over_and_known() -> None:
    assert not OUTDATED & BY_NAME.keys()
