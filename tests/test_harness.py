"""The tools of the tests themselves: wrong ones would hide what they are to find."""

import subprocess
from pathlib import Path

import pytest

from tests.harness.servers import ReferenceServer
from tests.harness.stage import SocketStage, replay
from tests.harness.transcript import Step, Transcript, TranscriptError, format_block, parse_block, read, write
from tests.harness.wire import (
    Incomplete,
    Reply,
    WireClient,
    encode,
    parse,
    quote,
    render,
    split_words,
    without_order,
)

WIRE = [
    (b'+OK\r\n', 'OK'),
    (b'-ERR no\r\n', '(error) ERR no'),
    (b':-1\r\n', '(integer) -1'),
    (b'$5\r\na"b\r\n\r\n', r'"a\"b\r\n"'),
    (b'$0\r\n\r\n', '""'),
    (b'$-1\r\n', '(nil)'),
    (b'*-1\r\n', '(nil array)'),
    (b'_\r\n', '(nil)'),
    (b'*0\r\n', '(empty array)'),
    (b'~0\r\n', '(empty set)'),
    (b'%0\r\n', '(empty hash)'),
    (b',1.5\r\n', '(double) 1.5'),
    (b'#t\r\n', '(true)'),
    (b'(123\r\n', '(big number) 123'),
    (b'=7\r\ntxt:a\r\n\r\n', r'(verbatim txt) "a\r\n"'),
    (b'!5\r\nERR x\r\n', '(bulk error) ERR x'),
    (b'*2\r\n*2\r\n:1\r\n:2\r\n$1\r\na\r\n', '1) 1) (integer) 1\n   2) (integer) 2\n2) "a"'),
    (b'~1\r\n:1\r\n', '1~ (integer) 1'),
    (b'>1\r\n:1\r\n', '1) (integer) 1'),
    (b'%1\r\n+k\r\n*1\r\n:1\r\n', '1# k => 1) (integer) 1'),
    (b'%1\r\n+k\r\n*2\r\n:1\r\n:2\r\n', '1# k => \n   1) (integer) 1\n   2) (integer) 2'),
    (b'|1\r\n+ttl\r\n:9\r\n:1\r\n', '(attribute) 1# ttl => (integer) 9\n(integer) 1'),
]


@pytest.mark.parametrize(('data', 'text'), WIRE)
def test_reply_is_read_shown_and_written(data: bytes, text: str):
    reply, end = parse(data + b'+more\r\n')
    assert end == len(data)
    assert render(reply) == text
    assert encode(reply) == data


@pytest.mark.parametrize('data', [data for data, _ in WIRE])
def test_every_part_of_a_reply_is_incomplete(data: bytes):
    for end in range(len(data)):
        with pytest.raises(Incomplete):
            parse(data[:end])


@pytest.mark.parametrize('data', [b'?\r\n', b'$-2\r\n', b'$1\r\nabcd', b'*x\r\n', b'$+1\r\na\r\n', b'_1\r\n'])
def test_what_is_not_resp_is_refused(data: bytes):
    with pytest.raises(ValueError, match=r'not RESP|no line end|invalid literal'):
        parse(data)


def test_rendering_is_that_of_redis_cli(reference: ReferenceServer, redis_cli: str):
    lines = [
        r'SET k "a\x00\xff\"\\\n\a\t"',
        'GET k',
        'RPUSH l 1 2 3 4 5 6 7 8 9 10',
        'LRANGE l 0 -1',
        'EVAL "return {1, {2, {}, {3}}, redis.error_reply(\'E x\')}" 0',
        'DEBUG PROTOCOL map',
        'DEBUG PROTOCOL set',
        'DEBUG PROTOCOL double',
        'DEBUG PROTOCOL true',
        'DEBUG PROTOCOL null',
        'ZADD z 1 a',
        'COMMAND INFO GET',
        'NO such',
    ]
    command = [redis_cli, '-3', '--no-raw', '-s', reference.address]
    shown = subprocess.run(
        command, input='\n'.join(lines), capture_output=True, text=True, check=True, timeout=20
    ).stdout
    with WireClient(reference.address, 3) as client:
        client('FLUSHALL')
        replies = [client(*split_words(line)) for line in lines]
    assert '\n'.join(map(render, replies)) == shown.replace('\n\n', '\n').rstrip('\n')


def test_words_are_split_as_they_are_quoted():
    words = [bytes(range(256)), b'', b'a b', b"it's"]
    assert split_words(' '.join(map(quote, words))) == words
    assert split_words(r"""  SET 'it\'s' "\x41\n" plain"quoted" """) == [b'SET', b"it's", b'A\n', b'plainquoted']


@pytest.mark.parametrize('line', ['"open', "'open", '"a"b', "'a'b"])
def test_unbalanced_quotes_are_refused(line: str):
    with pytest.raises(ValueError, match='quote'):
        split_words(line)


def test_order_is_taken_from_what_is_inside():
    scan, _ = parse(b'*2\r\n$1\r\n9\r\n*2\r\n$1\r\nb\r\n$1\r\na\r\n')
    assert render(without_order(scan)) == '1) "9"\n2) 1) "a"\n   2) "b"'
    mapping, _ = parse(b'%2\r\n+b\r\n:1\r\n+a\r\n:2\r\n')
    assert render(without_order(mapping)) == '1# a => (integer) 2\n2# b => (integer) 1'


def test_a_message_in_resp3_must_be_a_push():
    message = b'3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n'
    assert parse(b'*' + message)[0].is_misplaced()
    assert not parse(b'>' + message)[0].is_misplaced()
    assert parse(b'>1\r\n$1\r\na\r\n')[0].is_misplaced()


# --- transcripts ------------------------------------------------------------------------------------------------------


@pytest.fixture
def transcript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr('tests.harness.transcript.DIRECTORY', tmp_path)

    def make(text: str) -> Transcript:
        path = tmp_path / 'sample.txt'
        path.write_text(text)
        return read(path)

    return make


def test_what_each_client_received_is_told_by_its_mark():
    nested = Reply('*', [Reply(':', b'1'), Reply('*', [Reply(':', b'2'), Reply(':', b'3')])])
    ten = Reply('*', [Reply(':', b'1')] * 10)
    block = format_block({12: [nested, ten], 1: [ten]}, speaker=1)
    assert block[10] == '12< 1) (integer) 1'
    assert block[12] == '       2) (integer) 3'
    received = parse_block(block, speaker=1)
    assert received == {1: render(ten).split('\n'), 12: [*render(nested).split('\n'), *render(ten).split('\n')]}


def test_a_transcript_is_read(transcript):
    text = '@ protocol 3\n# hello\n\n@ unordered\n2> KEYS *\n1) "a"\n@ resp3\n1~ "a"\n>> "PING\\r\\n"\nPONG\n# end\n'
    read_back = transcript(text)
    assert read_back.protocols == (3,)
    keys, ping = read_back.steps
    assert (keys.client, keys.sent({}), keys.directives) == (2, b'*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n', {'unordered'})
    assert (keys.expected(2), keys.expected(3)) == ({2: ['1) "a"']}, {2: ['1~ "a"']})
    assert (ping.client, ping.sent({}), ping.expected(3)) == (1, b'PING\r\n', {1: ['PONG']})
    assert write(read_back) == text


def test_resp3_has_one_null_where_resp2_has_two(transcript):
    step: Step = transcript('> LPOP a 1\n(nil array)\n').steps[0]
    assert step.expected(3) == {1: ['(nil)']}


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('OK\n', 'sample.txt:1: a reply without a command'),
        ('> PING\nPONG\n# so\nPONG\n', 'sample.txt:4: a reply without a command'),
        ('> GET "k\n', 'sample.txt:1: a quote is not closed'),
        ('@ since\n> PING\n', 'sample.txt:1: @ since takes an argument'),
        ('@ unordered x\n> PING\n', 'sample.txt:1: @ unordered takes no argument'),
        ('@ sorted\n> PING\n', 'sample.txt:1: @ sorted is not known here'),
        ('> PING\nPONG\n@ protocol 2\n', 'sample.txt:3: @ protocol is not known here'),
        ('@ resp3\n> PING\n', 'sample.txt:1: @ resp3 stands below a reply'),
        ('> PING\nPONG\n@ like\n', 'ends with a directive'),
    ],
)
def test_a_wrong_transcript_says_what_is_wrong(transcript, text: str, reason: str):
    with pytest.raises(TranscriptError, match=reason):
        transcript(text)


@pytest.mark.parametrize(
    'text',
    [
        '> PING\nPING\n',
        '> PING\n',
        '> PING\nPONG\nPONG\n',
        '> PING\n2< PONG\n',
        '> QUIT\nOK\n',
        '> PING\nPONG\n(closed)\n',
        '2> BLPOP q 0\n(nil array)\n',
        '2> BLPOP q 0\n> RPUSH q a\n(integer) 1\n',
        '2> BLPOP q 0\n> RPUSH q a\n(integer) 1\n2< 1) "q"\n   2) "b"\n',
        '@ like\n> ECHO abc\n"b*"\n',
    ],
)
def test_a_difference_is_found(transcript, reference: ReferenceServer, text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr('tests.harness.stage.PATIENCE_SECONDS', 0.05)
    wrong = transcript(text)
    with pytest.raises(AssertionError, match=r'sample\.txt|neither got a reply'):
        replay(SocketStage(reference.address, wrong, 2), wrong, 2)


@pytest.mark.parametrize(
    'text',
    [
        '@ silent\n> CLIENT REPLY SKIP\n@ silent\n> PING\n> PING\nPONG\n',
        '@ like\n> ECHO abc\n"a*"\n',
        '@ unordered\n> KEYS *\n(empty array)\n',
        '> QUIT\nOK\n(closed)\n> PING\nPONG\n',
        '> CONFIG SET maxmemory-samples 7\nOK\n',
        '2> BLPOP q 0\n> CLIENT UNBLOCK {id2}\n(integer) 1\n2< (nil array)\n',
    ],
)
def test_what_is_as_written_passes(transcript, reference: ReferenceServer, text: str):
    right = transcript(text)
    replay(SocketStage(reference.address, right, 2), right, 2)


def test_parameters_are_set_back(transcript, reference: ReferenceServer):
    setting = transcript('> CONFIG SET maxmemory-samples 7 hz 20\nOK\n')
    with WireClient(reference.address) as client:
        before = client('CONFIG', 'GET', 'maxmemory-samples', 'hz')
        replay(SocketStage(reference.address, setting, 2), setting, 2)
        assert client('CONFIG', 'GET', 'maxmemory-samples', 'hz') == before


def test_a_server_that_does_not_start_says_why(reference: ReferenceServer):
    with pytest.raises(AssertionError, match=r'Bad directive'):
        ReferenceServer('--no-such-directive', 'x')
