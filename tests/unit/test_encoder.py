"""Values to RESP, where one kind of reply is encoded in several ways: what comes out must not tell which."""

import pytest

from selredis.resp.encoder import ENCODERS
from selredis.resp.reply import Strings

LONG = b'x' * 3000


@pytest.mark.parametrize('protocol', [2, 3])
@pytest.mark.parametrize(
    'strings',
    [
        [],
        [b''],
        [b'one'],
        [b'one', b'two', b'\r\n$'],
        [b'one', b'three', b''],
        [LONG, LONG],
        [LONG, b'short', LONG + b'y'],
        [b'%d' % number for number in range(100, 400)],
        [b'%d' % number for number in range(300)],
    ],
    ids=lambda strings: f'{len(strings)} of {sorted({len(text) for text in strings})[:3]}',
)
def test_an_array_of_strings_is_one_of_anything(protocol, strings):
    encoders = ENCODERS[protocol]
    expected = b'*%d\r\n' % len(strings) + b''.join(b'$%d\r\n%b\r\n' % (len(text), text) for text in strings)
    assert encoders[Strings](Strings(strings)) == encoders[list](strings) == expected
