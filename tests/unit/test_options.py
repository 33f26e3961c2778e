import pytest

from selredis.engine.options import deadline_ms, read_deadline_ms
from selredis.errors import ReplyError
from selredis.numeric import INT64_MAX, INT64_MIN

NOW_MS = 1_700_000_000_000
REFUSED = rb"invalid expire time in 'set' command"


@pytest.mark.parametrize(
    ('option', 'amount', 'expected'),
    [
        (b'EX', 10, NOW_MS + 10_000),
        (b'PX', 10, NOW_MS + 10),
        (b'EXAT', 10, 10_000),
        (b'PXAT', 10, 10),
        (b'EX', -10, NOW_MS - 10_000),
        (b'PXAT', INT64_MIN, INT64_MIN),
        (b'PXAT', INT64_MAX, INT64_MAX),
        (b'PX', INT64_MIN, INT64_MIN + NOW_MS),
        (b'PX', INT64_MAX - NOW_MS, INT64_MAX),
        (b'EXAT', INT64_MAX // 1000, INT64_MAX // 1000 * 1000),
    ],
)
def test_a_deadline_is_a_time_in_milliseconds(option, amount, expected):
    assert deadline_ms(option, amount, NOW_MS, b'set') == expected


@pytest.mark.parametrize(
    ('option', 'amount'),
    [
        (b'EX', INT64_MAX),
        (b'EX', INT64_MAX // 1000),
        (b'EX', INT64_MIN // 1000),
        (b'PX', INT64_MAX - NOW_MS + 1),
        (b'EXAT', INT64_MAX // 1000 + 1),
        (b'EXAT', INT64_MIN),
    ],
)
def test_a_deadline_beyond_64_bits_is_refused(option, amount):
    with pytest.raises(ReplyError, match=REFUSED.decode()):
        deadline_ms(option, amount, NOW_MS, b'set')


@pytest.mark.parametrize('text', [b'0', b'-1'])
@pytest.mark.parametrize('option', [b'EX', b'PX', b'EXAT', b'PXAT'])
def test_nothing_and_less_is_no_amount(option, text):
    with pytest.raises(ReplyError, match=REFUSED.decode()):
        read_deadline_ms(option, text, NOW_MS, b'set')


def test_an_amount_is_an_integer():
    assert read_deadline_ms(b'PX', b'5', NOW_MS, b'set') == NOW_MS + 5
    with pytest.raises(ReplyError, match='not an integer'):
        read_deadline_ms(b'PX', b'5.0', NOW_MS, b'set')
