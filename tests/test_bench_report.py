"""The benchmark's arithmetic: ratios round by round, goals, and how rows are printed. Nothing is measured here."""

import pytest

from tools.benchmark.report import (
    Measure,
    Table,
    markdown,
    number,
    plain,
    ratio_at_least,
    ratio_at_most,
    value_at_least,
    value_at_most,
)
from tools.benchmark.servers import interleaved
from tools.benchmark.wire import encode, numbered_command


def filled(measure, reference, subject):
    for value in reference:
        measure.add('reference', value)
    for value in subject:
        measure.add('subject', value)
    return measure


def test_the_ratio_is_the_median_of_the_rounds_ratios():
    measure = filled(Measure('SET', '1/s', ratio_at_least(0.7)), [100, 200, 400], [90, 100, 320])
    assert measure.cells() == ['SET', '1/s', '200', '100', '0.80', '0.50..0.90', '≥ 0.7', 'met']


def test_a_goal_on_the_value_looks_at_the_subject_alone():
    assert filled(Measure('start', 'ms', value_at_most(150)), [10], [151]).verdict() == 'missed'
    assert filled(Measure('start', 'ms', value_at_most(150)), [900], [150]).verdict() == 'met'


def test_a_goal_is_judged_on_what_is_printed():
    assert filled(Measure('peak', '', value_at_most(2)), [], [2.004]).verdict() == 'met'
    assert filled(Measure('cpu', 'µs', ratio_at_most(1.35)), [1], [1.36]).verdict() == 'missed'


def test_a_fact_is_yes_only_if_it_held_every_time():
    measure = filled(Measure('cut off', 'yes/no', value_at_least(1)), [1, 1], [1, 0])
    assert measure.cells() == ['cut off', '', 'yes', 'no', '', '', 'yes', 'missed']


def test_a_row_without_samples_is_printed_without_verdict():
    assert Measure('SET', '1/s', ratio_at_least(0.7)).cells() == ['SET', '1/s', '-', '-', '', '', '≥ 0.7', '']


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        (0, '0'),
        (0.000123, '0'),
        (0.0123, '0.0123'),
        (1, '1.00'),
        (99.94, '99.9'),
        (99.96, '100'),
        (1234567, '1,234,567'),
    ],
)
def test_numbers_have_three_digits_that_count(value, text):
    assert number(value) == text


def test_tables_are_printed_in_both_ways():
    table = Table('Memory', notes=['a note'])
    filled(table.measure('a key', 'bytes'), [100], [150])
    assert plain(table, 'redis-server', 'selredis').splitlines() == [
        'Memory',
        '',
        '       unit   redis-server  selredis  ratio  range  goal',
        'a key  bytes           100       150   1.50',
        '  note: a note',
    ]
    assert markdown(table, 'redis-server', 'selredis').splitlines() == [
        '**Memory**',
        '',
        '|  | unit | redis-server | selredis | ratio | range | goal |  |',
        '| --- | --- | ---: | ---: | ---: | ---: | --- | --- |',
        '| a key | bytes | 100 | 150 | 1.50 |  |  |  |',
        '',
        '- a note',
    ]


def test_who_goes_first_alternates():
    assert list(interleaved(['a', 'b'], 3)) == ['a', 'b', 'b', 'a', 'a', 'b']


def test_a_numbered_command_is_complete_once_its_number_is_put_in():
    assert numbered_command('SET', 'key', 'xxx') % 7 == encode('SET', 'key:000000000007', 'xxx')
