import pytest

from selredis.values.listpack import listpack_bytes


@pytest.mark.parametrize(
    ('element', 'size'),
    [
        (b'0', 2),
        (b'127', 2),
        (b'-1', 3),
        (b'128', 3),
        (b'4095', 3),
        (b'-4096', 3),
        (b'4096', 4),
        (b'-32768', 4),
        (b'32768', 5),
        (b'8388608', 6),
        (b'-2147483648', 6),
        (b'2147483648', 10),
        (b'-9223372036854775808', 10),
        (b'', 2),
        (b'01', 4),
        (b'x' * 63, 65),
        (b'x' * 64, 67),
        (b'x' * 125, 128),
        (b'x' * 126, 130),
        (b'x' * 4095, 4099),
        (b'x' * 4096, 4103),
        (b'x' * 16377, 16384),
        (b'x' * 16378, 16386),
    ],
)
def test_bytes_in_a_listpack(element, size):
    assert listpack_bytes(element) == size
