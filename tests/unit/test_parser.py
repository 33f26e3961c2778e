"""Expected commands and errors are those of redis-server 7.0.15 given the same bytes, long lines in small pieces."""

import tracemalloc
from itertools import pairwise
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selredis.resp.parser import LAST_READ_BYTES, MAX_LINE_BYTES, ParserLimits, RequestParser

MEGABYTE = 2**20

PING = [b'PING']


def parser(trusted: bool = True, max_bulk_bytes: int = MEGABYTE) -> RequestParser:
    made = RequestParser(ParserLimits(max_bulk_bytes))
    made.trusted = trusted
    return made


def encode(*argv: bytes) -> bytes:
    return b'*%d\r\n' % len(argv) + b''.join(b'$%d\r\n%b\r\n' % (len(argument), argument) for argument in argv)


def read(*pieces: bytes, trusted: bool = True) -> tuple[list[list[bytes]], bytes | None]:
    """All commands in the pieces, and the error."""
    reader = parser(trusted)
    argvs = []
    for piece in pieces:
        argvs += fed(reader, piece)
        while more := fed(reader, b''):
            argvs += more
    assert all(type(argument) is bytes for argv in argvs for argument in argv)
    return argvs, reader.error


def fed(reader: RequestParser, data: bytes) -> list[list[bytes]]:
    """What comes of some more bytes. (A command is a list or a tuple of words, by the way it was read.)"""
    return [[*argv] for argv in reader.feed(data)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


def in_bytes(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]


# What is well formed


RUN = [[b'SET', b'key:%d' % number, value] for number, value in enumerate([b'abc', b'\r\n$', b'*1\r'[:3]] * 3)]


@pytest.mark.parametrize(
    'odd',
    [
        b'',
        b'PING\r\n',
        encode(b'SET', b'key:1', b'longer'),
        encode(b'SET', b'key:1', b'abc')[:-4],
        b'*3\r\n$3\r\nSET\r\n$5\r\nkey:1\r\n$4\r\nabc\r\n\r\n',
    ],
)
def test_runs_of_one_shape_and_what_ends_them(odd):
    run = b''.join(encode(*argv) for argv in RUN)
    pieces = [run, run, run + odd + run, run]
    assert read(*pieces) == read(*in_bytes(b''.join(pieces)))
    assert read(run, run, run)[0] == RUN * 3


@pytest.mark.parametrize('place', range(len(encode(*RUN[0]))))
def test_a_run_is_compared_in_every_byte_of_its_headers(place):
    run = b''.join(encode(*argv) for argv in RUN)
    size = len(run) // len(RUN)
    broken = bytearray(run)
    broken[4 * size + place] ^= 1
    assert read(run, run, bytes(broken)) == read(*in_bytes(run + run + broken))


# Before CPython 3.11.5 a possessive repetition may end inside a group that did not match (gh-106052).


def test_a_pipeline_of_zadds_with_scores_of_varying_length():
    reader = parser()
    random = Random(1)
    for _ in range(100):
        argvs = [[b'ZADD', b'scores', b'%d' % random.randrange(1000), b'player:%03d' % number] for number in range(50)]
        assert fed(reader, b''.join(encode(*argv) for argv in argvs)) == argvs


ENDS = st.tuples(st.sampled_from(['cut', 'changed', 'longer', 'shorter']), st.integers(0, 1000))


def ended(command: bytes, end: tuple[str, int]) -> bytes:
    """A command that does not fit the run before it any more: unfinished, with another byte, or of another length."""
    how, number = end
    place = number % len(command)
    match how:
        case 'cut':
            return command[:place]
        case 'changed':
            return command[:place] + bytes([command[place] ^ 1]) + command[place + 1 :]
        case 'longer':
            return command[:place] + b'1' + command[place:]
    return command[:place] + command[place + 1 :]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([b'', b'a', b'\r\n', b'$1\r', b'*1\r\n$4', b'key:000001']), min_size=1, max_size=5),
    st.lists(ENDS, min_size=1, max_size=4),
)
def test_a_run_of_one_shape_ends_where_its_last_whole_command_ends(argv, ends):
    command = encode(*argv)
    pieces = [command * 9, *(command * 9 + ended(command, end) for end in ends)]
    assert read(*pieces) == read(*in_bytes(b''.join(pieces)))


BLANKS = st.sampled_from([b' ', b'\t', b'\r', b'\n', b'\r\n', b' ' * 63, b' ' * 64, b' ' * 65, b'*1\r\n', b'PING'])


@given(st.lists(BLANKS, max_size=20).map(b''.join))
def test_blank_lines_are_read_alike_together_and_in_single_bytes(data):
    assert read(data) == read(*in_bytes(data))


@pytest.mark.parametrize(
    'argv',
    [
        PING,
        [b'GET', b'key'],
        [b'SET', b'key', b''],
        [b''],
        [b'', b'', b''],
        [b'SET', b'\r\n', b'a\r\nb\r\n'],
        [b'SET', b'$1\r\na\r\n', b'*1\r\n$4\r\nPING\r\n'],
        [b'SET', b'\r', b'\n'],
        [b'SET', b'\0', bytes(range(256))],
        [b'SET', b'a' * 1024, b'b' * 1025],
        [b'SET', b'key', b'\r\n' * 5000],
        [b'SADD', b'key', *(b'%d' % number for number in range(1022))],
        [b'SADD', b'key', *(b'%d' % number for number in range(5000))],
    ],
    ids=lambda argv: b' '.join(argv)[:30],
)
def test_a_command_is_read_whole_in_pipelines_and_in_pieces(argv):
    data = encode(*argv)
    assert read(data) == ([argv], None)
    assert read(data * 5) == ([argv] * 5, None)
    assert read(*[data] * 5) == ([argv] * 5, None)
    assert read(data, data * 3, b'PING\r\n' + data * 4) == ([argv] * 4 + [PING] + [argv] * 4, None)
    assert read(*in_bytes(data * 2)) == ([argv] * 2, None)


@pytest.mark.parametrize(
    ('data', 'argvs'),
    [
        (b'PING\r\n', [PING]),
        (b'PING\n', [PING]),
        (b'PING\r\r\n', [PING]),
        (b'\rPING\n', [PING]),
        (b' GET  "a b"\t\'c\'\r\nPING\n', [[b'GET', b'a b', b'c'], PING]),
        (b'""\r\n', [[b'']]),
        (b'$4\r\nPING\r\n', [[b'$4'], PING]),
        (b'\r*1\r\nPING\r\n', [[b'*1'], PING]),
        (b'GET \xff\r\n', [[b'GET', b'\xff']]),
        (b'PING\r\n*1\r\n$4\r\nPING\r\nPING\r\n', [PING, PING, PING]),
    ],
)
def test_inline_commands(data, argvs):
    assert read(data) == (argvs, None)
    assert read(*in_bytes(data)) == (argvs, None)


@pytest.mark.parametrize(
    'nothing', [b'\n', b'\r\n', b' \t\r\n', b'\v\n', b'*0\r\n', b'*-1\r\n', b'*-5\r\n', b'*-9223372036854775808\r\n']
)
def test_no_command(nothing):
    assert read(nothing) == ([], None)
    assert read(nothing * 3 + b'PING\r\n' + nothing + encode(*PING) * 2) == ([PING] * 3, None)
    assert read(*in_bytes(nothing + encode(*PING))) == ([PING], None)


@pytest.mark.parametrize(
    'data',
    [
        b'*2\r\n$4\r\nECHO..$1\r\na..',
        b'*2\r\n$4\r\nECHO\n\r$1\r\na\0\0',
        b'*2\r.$4\r.ECHO\r\n$1\r\0a\r\n',
        b'*2\r\r$4\r\rECHO\r\r$1\r\ra\r\r',
    ],
)
def test_ends_of_values_and_of_headers_are_taken_on_trust(data):
    assert read(data) == ([[b'ECHO', b'a']], None)
    assert read(data * 2 + encode(*PING)) == ([[b'ECHO', b'a'], [b'ECHO', b'a'], PING], None)
    assert read(*in_bytes(data * 2)) == ([[b'ECHO', b'a']] * 2, None)


@pytest.mark.parametrize('size', [1, 100, 500, 3000])
@pytest.mark.parametrize('odd', [b'', b'ECHO "x y"\n', b'*0\r\n', b'*1\r\n$4\r\nPING\r\n', b'\v\n', b'\rPING\n'])
def test_lines_with_and_without_commands_in_turn(size, odd):
    words = [b'ECHO', b'x' * size]
    line = b' '.join(words) + b'\r\n'
    data = (line * 3 + b'\n\r\n \t\r\n' + odd + encode(*words) + b' ' * 100 + b'\n') * 20
    expected = read(*in_bytes(data))
    assert read(data) == expected
    assert read(data, trusted=False) == expected
    assert expected[0][:3] == [words] * 3
    assert expected[0][-1] == words


@pytest.mark.parametrize('lengths', [(3, 3, 3, 3), (3, 3, 4, 4, 4), (1200, 1200, 3, 3), (3, 5000, 3, 5000, 5000)])
@pytest.mark.parametrize('filler', [b'a', b'\r\n', b'\0'])
def test_commands_alike_and_unlike_in_turn(lengths, filler):
    argvs = [[b'SET', b'key', (filler * length)[:length]] for length in lengths * 3]
    whole = b''.join(encode(*argv) for argv in argvs)
    assert read(whole) == (argvs, None)
    assert read(*(encode(*argv) for argv in argvs)) == (argvs, None)
    assert read(*cut(whole, [50, 1000, 1001, 1002, 5000])) == (argvs, None)
    assert read(whole, encode(*PING), whole) == ([*argvs, PING, *argvs], None)


def test_a_shape_is_compared_in_every_byte_of_its_headers():
    plain = encode(b'GET', b'abcdef')
    for place in range(len(plain)):
        changed = plain[:place] + b'x' + plain[place + 1 :]
        argvs, error = read(changed, trusted=False)
        assert read(plain, plain, changed) == ([[b'GET', b'abcdef']] * 2 + argvs, error)
        argvs, error = read(plain + changed + plain, trusted=False)
        assert read(plain, plain, plain + changed + plain) == ([[b'GET', b'abcdef']] * 2 + argvs, error)


# What is not


@pytest.mark.parametrize(
    ('data', 'reason'),
    [
        (b'*\r\n', b'invalid multibulk length'),
        (b'*a\r\n', b'invalid multibulk length'),
        (b'*+1\r\n', b'invalid multibulk length'),
        (b'*-0\r\n', b'invalid multibulk length'),
        (b'*-\r\n', b'invalid multibulk length'),
        (b'*01\r\n', b'invalid multibulk length'),
        (b'*1 \r\n', b'invalid multibulk length'),
        (b'* 1\r\n', b'invalid multibulk length'),
        (b'*1_0\r\n', b'invalid multibulk length'),
        (b'*1\n\r\n', b'invalid multibulk length'),
        (b'*2147483648\r\n', b'invalid multibulk length'),
        (b'*-9223372036854775809\r\n', b'invalid multibulk length'),
        (b'*99999999999999999999\r\n', b'invalid multibulk length'),
        (b'*' + b'1' * 30 + b'\r\n', b'invalid multibulk length'),
        (b'*1\r\nPING\r\n', b"expected '$', got 'P'"),
        (b'*1\r\n\r\n', b"expected '$', got ' '"),
        (b'*1\r\n\nPING\r\n', b"expected '$', got ' '"),
        (b"*1\r\n'\r\n", b"expected '$', got '''"),
        (b'*1\r\n\xff\r\n', b"expected '$', got '\xff'"),
        (b'*1\r\n:4\r\n', b"expected '$', got ':'"),
        (b'*2\r\n$4\r\nECHO\r\n*1\r\n', b"expected '$', got '*'"),
        (b'*2\r\n$3\r\nECHO\r\n$1\r\na\r\n', b"expected '$', got ' '"),
        (b'*2\r\n$5\r\nECHO\r\n$1\r\na\r\n', b"expected '$', got '1'"),
        (b'*1\r\n$\r\n', b'invalid bulk length'),
        (b'*1\r\n$-1\r\n', b'invalid bulk length'),
        (b'*1\r\n$-0\r\n', b'invalid bulk length'),
        (b'*1\r\n$+4\r\nPING\r\n', b'invalid bulk length'),
        (b'*1\r\n$04\r\nPING\r\n', b'invalid bulk length'),
        (b'*1\r\n$ 4\r\nPING\r\n', b'invalid bulk length'),
        (b'*1\r\n$4 \r\nPING\r\n', b'invalid bulk length'),
        (b'*1\r\n$0_4\r\nPING\r\n', b'invalid bulk length'),
        (b'*1\r\n$4.0\r\nPING\r\n', b'invalid bulk length'),
        (b'*1\r\n$1048577\r\n', b'invalid bulk length'),
        (b'*1\r\n$9223372036854775808\r\n', b'invalid bulk length'),
        (b'"PING\r\n', b'unbalanced quotes in request'),
        (b'ECHO "a"b\n', b'unbalanced quotes in request'),
        (b"ECHO 'a\\'\n", b'unbalanced quotes in request'),
    ],
)
def test_broken_protocol(data, reason):
    error = b'Protocol error: ' + reason
    assert read(data) == ([], error)
    assert read(data + encode(*PING) * 3) == ([], error)
    assert read(encode(*PING) * 3 + b'PING\r\n' + data + encode(*PING)) == ([PING] * 4, error)
    assert read(*in_bytes(encode(*PING) + data + encode(*PING))) == ([PING], error)
    assert read(data, trusted=False) == ([], error)


# Long lines of each kind: what is before them, their first byte and end, and the errors if they are too long or not.
long_lines = pytest.mark.parametrize(
    ('before', 'first', 'end', 'reason', 'other'),
    [
        (b'', b'a', b'\n', b'too big inline request', None),
        (b'', b'a', b'\r\n', b'too big inline request', None),
        (b'', b'*', b'\r\n', b'too big mbulk count string', b'invalid multibulk length'),
        (b'*1\r\n', b'$', b'\r\n', b'too big bulk count string', b'invalid bulk length'),
        (b'*1\r\n', b'a', b'\r\n', b'too big bulk count string', b"expected '$', got 'a'"),
    ],
)


def long_line(before: bytes, first: bytes, end: bytes, size: int) -> bytes:
    """A line in which the terminator that is looked for has this many bytes before it."""
    return first + b'0' * (size - len(first) - (len(end) - 1 if first == b'a' and not before else 0))


def as_accepted(line: bytes, other: bytes | None) -> tuple[list[list[bytes]], bytes | None]:
    return refused(other) if other else ([[line]], None)


def refused(reason: bytes) -> tuple[list[list[bytes]], bytes | None]:
    return [], b'Protocol error: ' + reason


@long_lines
def test_lines_of_64_kb_are_accepted_however_they_arrive(before, first, end, reason, other):
    line = long_line(before, first, end, MAX_LINE_BYTES)
    data = before + line + end
    expected = as_accepted(line, other)
    assert read(data) == expected
    assert read(data + encode(*PING) * 2) == (expected[0] + ([] if other else [PING] * 2), expected[1])
    for place in range(len(before) + MAX_LINE_BYTES - 2, len(data)):
        assert read(*cut(data, [place, place + 1])) == expected
    assert read(before + line) == ([], None)


@long_lines
def test_longer_lines_are_accepted_if_the_end_is_read_with_them(before, first, end, reason, other):
    for size in (MAX_LINE_BYTES + 1, MAX_LINE_BYTES + LAST_READ_BYTES - 1):
        line = long_line(before, first, end, size)
        data = before + line + end
        assert read(data) == as_accepted(line, other)
        assert read(*cut(data, [len(before) + MAX_LINE_BYTES])) == as_accepted(line, other)


@long_lines
def test_longer_lines_are_refused_as_soon_as_they_are_read_without_the_end(before, first, end, reason, other):
    line = long_line(before, first, end, MAX_LINE_BYTES + 2)
    too_big = refused(reason)
    assert read(before + line[: MAX_LINE_BYTES + 1]) == too_big
    assert read(*cut(before + line + end, [len(before) + MAX_LINE_BYTES + 1])) == too_big


@long_lines
def test_lines_of_80_kb_are_refused_however_they_arrive(before, first, end, reason, other):
    size = MAX_LINE_BYTES + LAST_READ_BYTES
    data = before + long_line(before, first, end, size) + end
    too_big = refused(reason)
    for places in ([], [len(before) + MAX_LINE_BYTES], [len(data) - 1], [1, 2, 3]):
        assert read(*cut(data, places)) == too_big
    assert read(data + encode(*PING)) == too_big


@pytest.mark.parametrize(
    'before', [b'\0', b'PING\0\n', b'*\0', b'*1\0\r\n', b'*1\r\n\0', b'*1\r\n$4\0\r\n', b'*1\r\n$\0']
)
def test_a_line_with_a_nul_has_no_end(before):
    data = (before + b'PING\r\n' * MAX_LINE_BYTES)[: len(before) + MAX_LINE_BYTES]
    reader = parser()
    assert fed(reader, data[:100]) == []
    assert fed(reader, b'\r\n') == []
    assert (reader.error, reader.pending_bytes > 80) == (None, True)
    assert read(data)[1] in (
        b'Protocol error: too big inline request',
        b'Protocol error: too big mbulk count string',
        b'Protocol error: too big bulk count string',
    )
    assert read(data) == read(*cut(data, [1, 7, 8, 9, 4711, len(data) - 1]))


def test_nothing_is_read_after_an_error():
    reader = parser()
    assert fed(reader, b'*1\r\n$4\r\nPING\r\n*1\r\nx\r\n*1\r\n$4\r\nPING\r\n') == [PING]
    assert reader.error == b"Protocol error: expected '$', got 'x'"
    assert reader.pending_bytes == 0
    assert fed(reader, encode(*PING)) == []
    assert fed(reader, b'') == []
    assert (reader.error, reader.pending_bytes) == (b"Protocol error: expected '$', got 'x'", 0)


# Limits


def test_the_limit_of_a_value_may_change():
    reader = parser(max_bulk_bytes=MEGABYTE)
    value = b'a' * (MEGABYTE + 1)
    reader.limits.max_bulk_bytes = MEGABYTE + 1
    assert fed(reader, encode(b'SET', b'key', value)) == [[b'SET', b'key', value]]
    reader.limits.max_bulk_bytes = MEGABYTE
    assert fed(reader, encode(b'SET', b'key', value)) == []
    assert reader.error == b'Protocol error: invalid bulk length'
    assert read(encode(b'SET', b'key', value)) == ([], b'Protocol error: invalid bulk length')
    assert read(encode(b'SET', b'key', value[1:])) == ([[b'SET', b'key', value[1:]]], None)


@pytest.mark.parametrize(
    ('data', 'reason'),
    [
        (b'*11\r\n', b'unauthenticated multibulk length'),
        (b'*2147483648\r\n', b'invalid multibulk length'),
        (b'*10\r\n$16385\r\n', b'unauthenticated bulk length'),
        (b'*10\r\n$1048577\r\n', b'invalid bulk length'),
    ],
)
def test_who_is_not_trusted_may_not_say_much(data, reason):
    assert read(data, trusted=False) == ([], b'Protocol error: ' + reason)
    assert read(*in_bytes(data), trusted=False) == ([], b'Protocol error: ' + reason)
    largest = [b'a'] * 9 + [b'a' * 16384]
    assert read(encode(*largest), trusted=False) == ([largest], None)
    assert read(b'a ' * 20000 + b'\n', trusted=False) == ([[b'a'] * 20000], None)


def test_who_is_not_trusted_gets_one_command_a_call():
    reader = parser(trusted=False)
    data = b'\r\n*0\r\n' + encode(*PING) + b'AUTH secret\r\n' + encode(*[b'a'] * 11) + encode(b'ECHO', b'abc')
    assert fed(reader, data[:-5]) == [PING]
    assert reader.pending_bytes > 80
    assert fed(reader, b'') == [[b'AUTH', b'secret']]
    reader.trusted = True
    assert fed(reader, b'') == [[b'a'] * 11]
    assert reader.pending_bytes == 0  # the header of abc has been read
    assert fed(reader, data[-5:]) == [[b'ECHO', b'abc']]
    assert fed(reader, data) == [PING, [b'AUTH', b'secret'], [b'a'] * 11, [b'ECHO', b'abc']]


def test_the_rest_of_an_untrusted_client_is_kept_in_order():
    reader = parser(trusted=False)
    assert fed(reader, b'ECHO 1\nECHO 2\nEC') == [[b'ECHO', b'1']]
    assert fed(reader, b'HO 3\nECHO') == [[b'ECHO', b'2']]
    assert fed(reader, b'') == [[b'ECHO', b'3']]
    assert fed(reader, b'') == []
    assert fed(reader, b' 4\n*1\r\nx\r\n') == [[b'ECHO', b'4']]
    assert reader.error is None
    assert fed(reader, b'') == []
    assert reader.error == b"Protocol error: expected '$', got 'x'"


# What is held


def test_pending_bytes():
    reader = parser()
    steps = [
        (b'', 0),
        (b'PI', 2),
        (b'N', 3),
        (b'G\r', 5),
        (b'\n', 0),
        (b'*2\r', 3),
        (b'\n', 0),
        (b'$4\r\nECHO\r\n', 0),  # a complete argument is not counted
        (b'$1', 2),
        (b'0\r', 4),
        (b'\n', 0),
        (b'abc', 3),
        (b'defghij', 10),
        (b'\r', 11),
        (b'\nPING\r\nQ', 1),
    ]
    for piece, pending in steps:
        reader.feed(piece)
        assert reader.pending_bytes == pending, piece


def test_argument_bytes_are_those_of_the_unfinished_command():
    reader = parser()
    reader.feed(encode(b'ECHO', b'abc') + b'*3\r\n$4\r\nECHO\r\n$3\r\nab')
    assert reader.argument_bytes == 4
    reader.feed(b'c\r\n$1')
    assert reader.argument_bytes == 7
    reader.feed(b'\r\na\r\n')
    assert reader.argument_bytes == 0


def test_an_announcement_takes_no_memory():
    tracemalloc.start()
    try:
        assert read(b'*2147483647\r\n$1048576\r\n') == ([], None)
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()


def test_a_large_value_is_held_once():
    size = 16 * MEGABYTE
    reader = parser(max_bulk_bytes=size)
    piece = b'a' * 65536
    tracemalloc.start()
    try:
        reader.feed(b'*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$%d\r\n' % size)
        for _ in range(size // len(piece)):
            assert fed(reader, piece) == []
        (argv,) = reader.feed(b'\r\n')
        assert (len(argv[2]), type(argv[2])) == (size, bytes)
        assert tracemalloc.get_traced_memory()[1] < 1.5 * size
    finally:
        tracemalloc.stop()


def test_a_parser_at_rest_is_small():
    made = []
    limits = ParserLimits()
    tracemalloc.start()
    try:
        for _ in range(100):
            reader = RequestParser(limits)
            reader.trusted = True
            for piece in in_bytes(encode(b'SET', b'key', b'a' * 100)):
                reader.feed(piece)
            made.append(reader)
        assert tracemalloc.get_traced_memory()[0] < 300 * len(made)
    finally:
        tracemalloc.stop()


# Any split of the input gives the same

VALUES = st.one_of(
    st.binary(max_size=8),
    st.text(alphabet='\r\n$*1\0', max_size=8).map(str.encode),
    st.sampled_from([b'GET', b'key', b'a' * 600, b'\r\n' * 600, b'a' * 1024, b'a' * 1025, b'a' * 20000]),
)
ARGVS = st.lists(VALUES, min_size=1, max_size=5)
COMMANDS = st.one_of(
    st.lists(ARGVS, max_size=6),
    st.lists(st.tuples(ARGVS, st.integers(1, 5)), max_size=4).map(lambda runs: [a for a, n in runs for _ in range(n)]),
)
PLACES = st.lists(st.integers(0, 200_000), max_size=8)
# Twice as long it is too long however it is cut; a line of 64 to 80 KB is taken if its end was read with it.
LONG = b'a' * 42_000
FRAGMENTS = st.lists(
    st.one_of(
        st.sampled_from(
            [b'\r\n', b'\r', b'\n', b'\0', b'*', b'$', b'"', b"'", b'\\', b' ', b'PING\r\n', b'ECHO "a b"\n']
        ),
        st.sampled_from([b'*0\r\n', b'*1\r\n', b'*2\r\n', b'*11\r\n', b'$2000\r\n', b'1' * 50, LONG]),
        st.sampled_from([b'$0\r\n\r\n', b'$1\r\na\r\n', b'$3\r\n\r\n\r\r\n', b'$4\r\nPING\r\n', b'$1\r\naxx']),
        st.sampled_from([b'GET', b'KEY', b'\r\n\r', b'a' * 2000]).map(lambda value: encode(b'GET', value)),
        st.binary(max_size=4),
        st.integers(-2, 20).map(lambda number: b'%d' % number),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(COMMANDS, PLACES)
def test_commands_come_out_as_they_went_in(argvs, places):
    data = b''.join(encode(*argv) for argv in argvs)
    assert read(data) == (argvs, None)
    assert read(*cut(data, places)) == (argvs, None)


@settings(deadline=None)
@given(FRAGMENTS, PLACES, st.booleans())
@example([b'*1\r\n', b'$4\r\nPING'], [8, 9], False)
def test_any_bytes_give_the_same_however_they_are_cut(fragments, places, trusted):
    data = b''.join(fragments)
    whole = read(data, trusted=trusted)
    assert read(*cut(data, places), trusted=trusted) == whole
    assert read(*in_bytes(data[:300]), trusted=trusted) == read(data[:300], trusted=trusted)


@settings(deadline=None)
@given(FRAGMENTS)
def test_who_is_trusted_is_read_like_who_is_not(fragments):
    """The exact reader alone serves those who are not trusted, so it is the measure of the fast one."""
    data = b''.join(fragments)
    argvs, error = read(data, trusted=False)
    if error is None or not error.startswith(b'Protocol error: unauthenticated'):
        assert read(data) == (argvs, error)
        assert read(data, data) == read(data + data)


def test_what_a_long_value_still_lacks_is_known():
    reader = parser()
    assert reader.awaited_bytes == 0
    command = encode(b'SET', b'key', b'x' * 1000)
    assert fed(reader, command[:500]) == []
    assert reader.awaited_bytes == len(command) - 500
    assert fed(reader, command[500:-1]) == []
    assert reader.awaited_bytes == 1
    assert fed(reader, command[-1:]) == [[b'SET', b'key', b'x' * 1000]]
    assert reader.awaited_bytes == 0


def test_the_middle_of_a_value_may_come_as_a_view_of_a_buffer():
    reader = parser()
    command = encode(b'SET', b'key', b'x' * 1000)
    assert fed(reader, command[:500]) == []
    buffer = bytearray(command[500:])
    assert reader.feed_value(memoryview(buffer)[:400]) == []
    assert reader.unfinished
    assert reader.feed_value(memoryview(buffer)[400:]) == [[b'SET', b'key', b'x' * 1000]]
    assert not reader.unfinished
    buffer[:] = bytes(len(buffer))
    assert fed(reader, encode(b'PING')) == [PING]


def test_after_the_middle_of_one_argument_the_next_may_come():
    reader = parser()
    command = encode(b'SET', b'k' * 1000, b'value')
    assert fed(reader, command[:500]) == []
    rest = command[500:]
    edge = reader.awaited_bytes
    assert reader.feed_value(memoryview(rest)[:edge]) == []
    assert reader.unfinished
    assert fed(reader, rest[edge:]) == [[b'SET', b'k' * 1000, b'value']]
