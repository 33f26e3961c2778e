"""How many nodes the radix tree of Redis would have. All else that XINFO tells: transcripts, test_streams_reading."""

import pytest

from selredis.commands.stream_info import radix_tree_nodes


@pytest.mark.parametrize(
    ('heads', 'nodes'),
    [
        ([], 1),
        ([1], 2),  # a run of sixteen bytes, and a leaf
        ([1, 2], 4),  # a run of fifteen, a fork, two leaves
        ([1, 2, 3], 5),
        ([1, 1 << 8], 6),  # behind the fork there is a byte for each
        ([1, 2, 1 << 8], 7),
        ([1, 1 << 120], 5),  # they have nothing in common
    ],
)
def test_radix_tree(heads: list[int], nodes: int):
    assert radix_tree_nodes(heads) == nodes
