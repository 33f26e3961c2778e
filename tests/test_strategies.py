"""Random programs have every command in them that works on a data type."""

from collections.abc import Sequence

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.harness.servers import ReferenceServer
from tests.harness.wire import WireClient
from tests.strategies import GROUPS, WAITING
from tests.strategies.words import Argv
from tests.test_command_table import all_docs

KINDS = {'string', 'list', 'hash', 'set', 'sorted-set', 'stream', 'bitmap', 'hyperloglog', 'geo'}
OF_DATA_TYPES = ('bitmaps', 'geo', 'hashes', 'hyperloglogs', 'lists', 'sets', 'sorted_sets', 'streams', 'strings')

# Those that no random program has, as the servers need not answer alike.
LEFT_OUT = {
    'pfselftest': 'takes the reference seconds',
    'xgroup|help': 'is in our own words',
    'xinfo|consumers': 'tells times; and who is given nothing is a consumer since 7.2, too',
    'xinfo|help': 'is in our own words',
}


def names(commands: Sequence[SearchStrategy[Argv]]) -> set[str]:
    """The names of all commands that some strategies give, with those of subcommands."""
    found: set[str] = set()

    @settings(
        max_examples=2, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(st.tuples(*commands))
    def collect(drawn: tuple[Argv, ...]) -> None:
        for argv in drawn:
            words = [word.decode('latin-1').lower() for word in argv[:2]]
            found.update((words[0], '|'.join(words)))

    collect()
    return found


def test_every_command_of_a_data_type_is_in_some_program(reference: ReferenceServer):
    with WireClient(reference.address) as client:
        docs = all_docs(client('COMMAND', 'DOCS'))
    wanted = {name for name, told in docs.items() if told['group'].text.decode() in KINDS and 'subcommands' not in told}
    groups = [GROUPS[name] for name in OF_DATA_TYPES] + list(WAITING.values())
    branches = [branch for group in groups for branch in group.branches]
    found = set[str]().union(*(names(branches[at : at + 8]) for at in range(0, len(branches), 8)))
    assert wanted - found == LEFT_OUT.keys()
