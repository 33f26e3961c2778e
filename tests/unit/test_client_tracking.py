"""CLIENT TRACKING's words, where they are not as in Redis or depend on other clients; all else is in transcripts."""

from itertools import permutations
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selredis.commands import client_tracking
from selredis.commands.client_tracking import check_prefixes, overlap, overlapping
from selredis.errors import ReplyError


def test_a_collision_behind_the_first_prefix_is_one_error_and_changes_nothing(client):
    """Redis says OK as well, tracks, and every reply that follows is taken for that to the command before it."""
    error = client('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'x', 'PREFIX', 'foobar', 'PREFIX', 'foo')
    assert error == (
        "ERR Prefix 'foobar' overlaps with another provided prefix 'foo'."
        ' Prefixes for a single client must not overlap.'
    )
    assert client.client.tracking is None


@pytest.mark.parametrize(
    ('prefixes', 'present', 'named'),
    [
        ([b'a', b'b'], [b'c', b'd'], None),
        ([b'ab', b'b'], [b'abc'], b"'ab' overlaps with an existing prefix 'abc'"),
        ([b'b', b'abc'], [b'ab'], b"'abc' overlaps with an existing prefix 'ab'"),
        ([b'a'], [b''], b"'a' overlaps with an existing prefix ''"),
        ([b'', b'a'], [], b"'' overlaps with another provided prefix 'a'"),
        # The first prefix is compared with all before the second one is with any.
        ([b'b', b'ba', b'a'], [b'a'], b"'b' overlaps with another provided prefix 'ba'"),
    ],
)
def test_overlapping_prefixes(prefixes, present, named):
    if named is None:
        check_prefixes(prefixes, present)
        return
    with pytest.raises(ReplyError) as caught:
        check_prefixes(prefixes, present)
    assert caught.value.text == b'ERR Prefix %b. Prefixes for a single client must not overlap.' % named


def test_who_was_to_be_told_must_be_there(clients):
    client, other = clients(2)
    assert client('CLIENT', 'TRACKING', 'ON', 'REDIRECT', other.client.id) == 'OK'
    other.disconnect()
    assert client('CLIENT', 'GETREDIR') == other.client.id
    error = 'ERR The client ID you want redirect to does not exist'
    assert client('CLIENT', 'TRACKING', 'ON', 'REDIRECT', other.client.id) == error
    assert client('CLIENT', 'GETREDIR') == other.client.id


def test_tracking_anew_takes_other_options_and_adds_prefixes(clients):
    client, other = clients(2)
    client('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'b', 'NOLOOP')
    client('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'a', 'REDIRECT', other.client.id)
    tracking = client.client.tracking
    assert (tracking.redirect, tracking.noloop) == (other.client.id, False)
    assert sorted(tracking.prefixes) == [b'a', b'b']
    client('CLIENT', 'TRACKING', 'OFF')
    client('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'b')
    assert list(client.client.tracking.prefixes) == [b'b']


names = st.lists(st.text('ab', max_size=4).map(str.encode), max_size=8)


@given(names)
def test_prefixes_that_overlap_are_found_as_by_comparing_all_of_them(prefixes):
    pairs = [(one, other) for one, other in permutations(prefixes, 2) if overlap(one, other)]
    assert overlapping(prefixes) == {one for one, _ in pairs}


def test_prefixes_are_not_compared_with_all_others():
    """CLIENT TRACKING with 2,000 prefixes made two million comparisons."""
    with patch.object(client_tracking, 'overlap', side_effect=AssertionError('compared')):
        check_prefixes([b'%d:' % number for number in range(100)], [b'x%d:' % number for number in range(100)])
