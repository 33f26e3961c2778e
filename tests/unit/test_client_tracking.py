"""CLIENT TRACKING's words, where they are not as in Redis or depend on other clients; all else is in transcripts."""

import pytest

from selredis.commands.client_tracking import check_prefixes
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
