import pytest

from selredis.values.encoding import encoding_of


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        (b'0', b'int'),
        (b'-9223372036854775808', b'int'),
        (b'9223372036854775807', b'int'),
        (b'9223372036854775808', b'embstr'),
        (b'01', b'embstr'),
        (b'', b'embstr'),
        (b'x' * 44, b'embstr'),
        (b'x' * 45, b'raw'),
        (bytearray(b'1'), b'raw'),
    ],
)
def test_of_strings(value, expected):
    assert encoding_of(value) == expected


def test_what_is_no_value_has_none():
    with pytest.raises(TypeError):
        encoding_of(1)
