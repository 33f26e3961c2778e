"""How values are read and printed. The expectations are what redis-server answers to CONFIG SET and CONFIG GET."""

import os

import pytest

from selredis.config_kinds import (
    INT_MAX,
    LONG_MAX,
    Addresses,
    Choice,
    Choices,
    Directory,
    EventClasses,
    Integer,
    Integers,
    Memory,
    MemoryOrPercent,
    Octal,
    OutputLimit,
    OutputLimits,
    OutputLimitsByClass,
    Peer,
    Percentiles,
    ReplicaOf,
    SavePoint,
    SavePoints,
    Secret,
    Text,
    YesNo,
    expand_template,
    with_unit,
)
from selredis.errors import ConfigError

LIMITS = OutputLimits(OutputLimit(0, 0, 0), OutputLimit(1, 2, 3), OutputLimit(4, 5, 6))


def reason(kind, words, before=None):
    with pytest.raises(ConfigError) as caught:
        kind.read(words, before)
    return str(caught.value)


@pytest.mark.parametrize(('text', 'value'), [(b'yes', True), (b'NO', False), (b'Yes', True)])
def test_yes_and_no_in_any_case(text, value):
    assert YesNo().read([text], False) is value


@pytest.mark.parametrize('text', [b'', b'1', b'true', b'yes '])
def test_nothing_else_is_yes_or_no(text):
    assert reason(YesNo(), [text]) == "argument must be 'yes' or 'no'"


def test_yes_and_no_are_printed():
    assert [YesNo().show(value) for value in (True, False)] == [b'yes', b'no']


def test_an_integer_keeps_to_its_range():
    kind = Integer(-1, 65535)
    assert [kind.read([text], 0) for text in (b'-1', b'0', b'65535')] == [-1, 0, 65535]
    for text in (b'-2', b'65536'):
        assert reason(kind, [text]) == 'argument must be between -1 and 65535 inclusive'


@pytest.mark.parametrize('text', [b'', b'abc', b' 1', b'+1', b'01', b'1.0', b'0x10', b'9223372036854775808'])
def test_what_is_no_integer(text):
    assert reason(Integer(0, LONG_MAX), [text]) == "argument couldn't be parsed into an integer"


def test_a_clamped_integer_is_brought_to_the_nearer_end():
    kind = Integer(0, INT_MAX, clamp=(1, 500))
    assert [kind.read([text], 10) for text in (b'0', b'100', b'501')] == [1, 100, 500]
    assert reason(kind, [b'-1']) == 'argument must be between 0 and 2147483647 inclusive'


def test_octal_numbers():
    kind = Octal(0, 0o777)
    assert kind.read([b'700'], 0) == 0o700
    assert kind.show(0o700) == b'700'
    assert reason(kind, [b'1000']) == 'argument must be between 0 and 777 inclusive'
    assert reason(kind, [b'-1']) == 'argument must be between 0 and 777 inclusive'
    assert reason(kind, [b'888']) == "argument couldn't be parsed as an octal number"


def test_memory_is_read_with_units_and_printed_in_bytes():
    kind = Memory(1024**2, LONG_MAX)
    assert kind.read([b'10m'], 0) == 10_000_000
    assert kind.read([b'1GB'], 0) == 1024**3
    assert kind.show(1024**3) == b'1073741824'
    assert reason(kind, [b'1k']) == 'argument must be between 1048576 and 9223372036854775807 inclusive'


@pytest.mark.parametrize('text', [b'invalid', b'-1', b'1tb', b'5%'])
def test_what_is_no_amount_of_memory(text):
    assert reason(Memory(0, LONG_MAX), [text]) == 'argument must be a memory value'


def test_memory_may_be_a_share():
    kind = MemoryOrPercent(0, LONG_MAX)
    assert kind.read([b'5%'], 0) == -5
    assert kind.show(-5) == b'5%'
    assert kind.read([b'1mb'], 0) == 1024**2
    assert reason(kind, [b'200%']) == 'percentage argument must be less or equal to 100'
    for text in (b'%', b'-5%', b'x'):
        assert reason(kind, [text]) == 'argument must be a memory or percent value'


def test_a_choice_in_any_case_is_printed_in_its_own():
    kind = Choice('debug', 'notice')
    assert kind.read([b'NOTICE'], '') == 'notice'
    assert kind.show('notice') == b'notice'
    assert reason(kind, [b'\xff']) == 'argument(s) must be one of the following: debug, notice'


def test_a_choice_may_have_two_names():
    kind = Choice('no', 'yes', 'relative', same={'relative': 'yes'})
    assert kind.read([b'relative'], '') == 'yes'


def test_several_choices_are_printed_in_the_order_of_their_list():
    kind = Choices('default', 'save', 'nosave', 'now', 'force')
    assert kind.show(kind.read([b'nosave', b'force', b'NOW'], ())) == b'nosave now force'
    assert kind.read([b'default'], ()) == ()
    assert kind.show(()) == b'default'
    for words in ([], [b''], [b'save', b'later']):
        assert reason(kind, words) == 'argument(s) must be one of the following: default, save, nosave, now, force'


def test_a_text_ends_at_its_first_nul():
    assert Text().read([b'a\0b'], '') == 'a'


def test_a_text_of_any_bytes_is_printed_as_it_came():
    assert Text().show(Text().read([b'\xff\xc3\xa4'], '')) == b'\xff\xc3\xa4'


def test_a_check_refuses_a_text():
    def no_slash(value):
        if '/' in value:
            raise ConfigError('no')

    assert reason(Text(no_slash), [b'a/b']) == 'no'


def test_a_secret_is_any_bytes():
    assert Secret().read([b'a\0\xff'], b'') == b'a\0\xff'
    assert Secret().secret


def test_a_directory_is_absolute_and_starts_at_the_one_before(tmp_path):
    (tmp_path / 'inner').mkdir()
    root = os.path.realpath(tmp_path)
    assert Directory().read([b'./'], root) == root
    assert Directory().read([b'inner'], root) == root + '/inner'
    assert Directory().read([b'..'], root + '/inner') == root


def test_what_is_no_directory(tmp_path):
    (tmp_path / 'file').touch()
    assert reason(Directory(), [b'missing'], str(tmp_path)) == 'No such file or directory'
    assert reason(Directory(), [b''], str(tmp_path)) == 'No such file or directory'
    assert reason(Directory(), [b'file'], str(tmp_path)) == 'Not a directory'


def test_the_process_stays_where_it_is(tmp_path):
    here = os.getcwd()
    Directory().read([os.fsencode(tmp_path)], here)
    assert os.getcwd() == here


def test_addresses():
    kind = Addresses()
    assert kind.read([b'127.0.0.1', b'-::1'], ()) == ('127.0.0.1', '-::1')
    assert kind.show(('127.0.0.1', '-::1')) == b'127.0.0.1 -::1'
    assert kind.read([], ('*',)) == kind.read([b''], ('*',)) == ()
    assert reason(kind, [b'::1'] * 17) == 'Too many bind addresses specified.'


def test_save_points_replace_each_other():
    kind = SavePoints()
    value = kind.read([b'3600', b'1', b'60', b'1000'], (SavePoint(5, 5),))
    assert value == (SavePoint(3600, 1), SavePoint(60, 1000))
    assert kind.show(value) == b'3600 1 60 1000'
    assert kind.read([], value) == kind.read([b''], value) == ()


def test_save_points_of_a_file_add_up_until_an_empty_one():
    kind = SavePoints()
    value = kind.read_line([b'60', b'1000'], kind.read_line([b'900', b'1'], ()))
    assert value == (SavePoint(900, 1), SavePoint(60, 1000))
    assert kind.read_line([b''], value) == ()


def test_numbers_too_large_for_a_save_point_are_the_largest_one():
    assert SavePoints().read([b'9' * 5000, b'0' * 5000 + b'1'], ()) == (SavePoint(LONG_MAX, 1),)
    assert reason(SavePoints(), [b'-' + b'9' * 5000, b'1']) == 'Invalid save parameters'


@pytest.mark.parametrize('words', [[b'900'], [b'0', b'1'], [b'900', b'-1'], [b'900', b'x'], [b'900', b'1', b'60']])
def test_what_is_no_save_point(words):
    assert reason(SavePoints(), words) == 'Invalid save parameters'


def test_output_limits_of_the_named_classes_change():
    kind = OutputLimitsByClass()
    value = kind.read([b'Replica', b'3mb', b'4mb', b'70', b'pubsub', b'0', b'1k', b'2'], LIMITS)
    assert value == LIMITS._replace(slave=OutputLimit(3 * 1024**2, 4 * 1024**2, 70), pubsub=OutputLimit(0, 1000, 2))
    assert kind.show(value) == b'normal 0 0 0 slave 3145728 4194304 70 pubsub 0 1000 2'
    assert kind.read([], LIMITS) == LIMITS


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        (b'wrong number', 'Wrong number of arguments in buffer limit configuration.'),
        (b'invalid_class 10mb 10mb 60', 'Invalid client class specified in buffer limit configuration.'),
        (b'master 10mb 10mb 60', 'Invalid client class specified in buffer limit configuration.'),
        (b'normal 10mbs 10mb 60', 'Error in hard, soft or soft_seconds setting in buffer limit configuration.'),
        (b'replica 10mb 10mbs 60', 'Error in hard, soft or soft_seconds setting in buffer limit configuration.'),
        (b'pubsub 10mb 10mb 60s', 'Error in hard, soft or soft_seconds setting in buffer limit configuration.'),
        (b'pubsub 0 0 %d' % 10**4000, 'Error in hard, soft or soft_seconds setting in buffer limit configuration.'),
        (b'pubsub 10mb 10mb -1', 'Error in hard, soft or soft_seconds setting in buffer limit configuration.'),
    ],
)
def test_what_is_no_output_limit(text, expected):
    assert reason(OutputLimitsByClass(), text.split(), LIMITS) == expected


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        (b'', b''),
        (b'gKE', b'gKE'),
        (b'$lshzxeKE', b'$lshzxeKE'),
        (b'KA', b'AK'),
        (b'EA', b'AE'),
        (b'mEKd', b'dKEm'),
        (b'g$lshzxetdKE', b'AKE'),
        (b'nE', b'nE'),
        (b'AnE', b'AE'),
    ],
)
def test_event_classes_are_printed_in_their_order(text, shown):
    kind = EventClasses()
    assert kind.show(kind.read([text], frozenset())) == shown


def test_all_event_classes_are_all_but_two():
    assert EventClasses().read([b'A'], frozenset()) == frozenset('g$lshzxetd')


def test_what_is_no_event_class():
    assert reason(EventClasses(), [b'KEq']) == "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."


def test_as_many_integers_as_before():
    kind = Integers(-2000, 2000, 'some-values')
    assert kind.read([b'1', b'-2', b'3'], (0, 200, 800)) == (1, -2, 3)
    assert kind.show((1, -2, 3)) == b'1 -2 3'
    assert reason(kind, [b'1', b'2'], (0, 200, 800)) == 'wrong number of arguments'
    for last in (b'2001', b'x'):
        expected = 'Invalid some-values, elements must be between -2000 and 2000.'
        assert reason(kind, [b'1', b'2', last], (0, 200, 800)) == expected


def test_percentiles():
    kind = Percentiles()
    assert kind.read([b'0', b'99.9', b'1e2'], ()) == (0.0, 99.9, 100.0)
    assert kind.read([b''], (50.0,)) == ()
    assert kind.show((50.0, 99.9, 1 / 3)) == b'50 99.9 0.333333'
    assert reason(kind, [b'x']) == reason(kind, [b'1', b'']) == 'Invalid latency-tracking-info-percentiles parameters'
    for text in (b'-0.1', b'100.1', b'inf'):
        assert reason(kind, [text]) == 'latency-tracking-info-percentiles parameters should sit between [0.0,100.0]'


def test_the_server_to_be_a_replica_of():
    kind = ReplicaOf()
    assert kind.read([b'redis.example', b'6380'], None) == ('redis.example', 6380)
    assert kind.read([b'NO', b'one'], Peer('a', 1)) is None
    assert kind.show(Peer('a', 1)) == b'a 1'
    assert kind.show(None) == b''
    assert reason(kind, [b'a']) == 'wrong number of arguments'
    for text in (b'x', b'65536', b'-1'):
        assert reason(kind, [b'a', text]) == 'Invalid master port'


# What CONFIG REWRITE writes


@pytest.mark.parametrize(
    ('amount', 'text'),
    [
        (0, b'0'),
        (1, b'1'),
        (1023, b'1023'),
        (1024, b'1kb'),
        (1536, b'1536'),
        (10 * 1024**2, b'10mb'),
        (1024**3, b'1gb'),
        (2**63 - 1, b'9223372036854775807'),
        (1024**4, b'1024gb'),
    ],
)
def test_memory_in_its_largest_unit(amount, text):
    assert with_unit(amount) == text


def test_a_text_is_quoted_and_none_has_no_line():
    assert Text().lines('a "b"', '') == [(rb'"a \"b\""', True)]
    assert Text().lines('', '') == [(b'""', False)]
    assert Text(may_be_none=True).lines('', '') == []
    assert Secret().lines(b'\xff', b'') == [(rb'"\xff"', True)]
    assert Secret().lines(b'', b'') == []


def test_save_points_have_a_line_each():
    assert SavePoints().lines((SavePoint(1, 2), SavePoint(3, 4)), ()) == [(b'1 2', True), (b'3 4', True)]
    assert SavePoints().lines((), (SavePoint(1, 2),)) == [(b'""', True)]


def test_a_file_that_says_nothing_of_saving_is_left_so():
    """A server that saves by default, and is given the file one day, goes on saving."""
    assert SavePoints().lines((), ()) == [(b'""', False)]


def test_output_limits_have_a_line_for_each_class():
    assert OutputLimitsByClass().lines(LIMITS, LIMITS._replace(slave=OutputLimit(0, 0, 0))) == [
        (b'normal 0 0 0', False),
        (b'replica 1 2 3', True),
        (b'pubsub 4 5 6', False),
    ]


def test_addresses_that_are_the_default_have_no_line():
    assert Addresses().lines(('*',), ('*',)) == []
    assert Addresses().lines((), ('*',)) == [(b'""', True)]
    assert Addresses().lines(('::1', '-::2'), ('*',)) == [(b'::1 -::2', True)]


def test_classes_of_events_are_complete():
    """CONFIG GET leaves n out behind an A."""
    value = EventClasses().read([b'An'], frozenset())
    assert EventClasses().lines(value, frozenset()) == [(b'"An"', True)]


# Templates


def test_a_template_is_filled():
    assert expand_template('{a} {{a}{b}}', {'a': '1', 'b': ''}) == '1 {a}}'
    assert expand_template('none', {}) == 'none'


@pytest.mark.parametrize('template', ['{b}', '{a', 'x{', '{}'])
def test_a_template_in_error(template):
    with pytest.raises(ValueError):  # noqa: PT011  (it has no text)
        expand_template(template, {'a': '1'})
