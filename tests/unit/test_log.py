"""The log's lines, in a file."""

import re
import syslog

import pytest

from selredis.clock import ManualClock
from selredis.log import Log


def lines_of(path):
    return path.read_bytes().splitlines()


def test_a_line_has_the_process_the_time_and_a_mark_for_its_level(tmp_path):
    log = Log('debug', str(tmp_path / 'log'))
    for write in (log.debug, log.verbose, log.notice, log.warning):
        write('text')
    marks = []
    for line in lines_of(tmp_path / 'log'):
        match = re.fullmatch(rb'\d+:M \d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3} (.) text', line)
        assert match, line
        marks.append(match[1])
    assert marks == [b'.', b'-', b'*', b'#']


def test_what_a_client_has_sent_cannot_begin_a_line_or_speak_to_a_terminal(tmp_path):
    log = Log('notice', str(tmp_path / 'log'))
    log.notice('one\r\ntwo\0\x1b[31m\x7f\x9b \u00e9')
    (line,) = lines_of(tmp_path / 'log')
    assert line.endswith(rb'one\x0d\x0atwo\x00\x1b[31m\x7f\x9b ' + '\u00e9'.encode())


def test_what_is_no_text_is_written_all_the_same(tmp_path):
    Log('notice', str(tmp_path / 'log')).notice('\udcff')
    assert lines_of(tmp_path / 'log')[0].endswith(rb'\udcff')


def test_a_defect_is_written_with_its_traceback(tmp_path):
    try:
        raise ValueError('what went wrong')
    except ValueError as error:
        Log('notice', str(tmp_path / 'log')).defect('A command failed', error)
    first, *_, last = lines_of(tmp_path / 'log')
    assert first.endswith(b'# A command failed')
    assert last.endswith(b'# ValueError: what went wrong')


def test_a_file_that_cannot_be_written_ends_nothing(tmp_path):
    Log('notice', str(tmp_path)).warning('to a directory')


@pytest.mark.parametrize('now_ms', [10**20, -(10**20), 10**30, -(10**30)])
def test_a_time_that_has_no_date_is_written_as_unix_time(tmp_path, now_ms):
    Log('notice', str(tmp_path / 'log'), ManualClock(now_ms)).warning('text')
    (line,) = lines_of(tmp_path / 'log')
    assert line.endswith(b'M %d.%03d # text' % divmod(now_ms, 1000))


@pytest.mark.parametrize('now_ms', [0, -1, -62_135_596_800_000, 95_617_584_000_000, 253_402_300_799_999, (1 << 63) - 1])
def test_any_date_is_written(tmp_path, now_ms):
    Log('notice', str(tmp_path / 'log'), ManualClock(now_ms)).warning('text')
    (line,) = lines_of(tmp_path / 'log')
    assert re.fullmatch(rb'\d+:M \d\d \w{3} -?\d+ \d\d:\d\d:\d\d\.\d{3} # text', line)


def test_a_path_that_no_file_can_have_ends_nothing():
    Log('notice', 'a\0b').warning('to nowhere')


def test_the_systems_log_gets_each_line_with_its_priority(tmp_path, monkeypatch):
    opened: list[tuple[str, int]] = []
    sent: list[tuple[int, str]] = []
    monkeypatch.setattr(syslog, 'openlog', lambda ident, _options, facility: opened.append((ident, facility)))
    monkeypatch.setattr(syslog, 'syslog', lambda priority, text: sent.append((priority, text)))
    log = Log('verbose', str(tmp_path / 'log'))
    log.notice('before')
    log.open_syslog('redis\udcff', 'local3')
    for write in (log.debug, log.verbose, log.notice, log.warning):
        write('a\0b \udcff')
    assert opened == [('redis\\udcff', syslog.LOG_LOCAL3)]
    text = 'a\\x00b \\udcff'
    assert sent == [(syslog.LOG_INFO, text), (syslog.LOG_NOTICE, text), (syslog.LOG_WARNING, text)]
    assert len(lines_of(tmp_path / 'log')) == 4


@pytest.mark.parametrize('facility', ['user', 'local0', 'local7'])
def test_facilities_are_those_of_the_system(facility, monkeypatch):
    opened: list[int] = []
    monkeypatch.setattr(syslog, 'openlog', lambda _ident, _options, facility: opened.append(facility))
    Log().open_syslog('redis', facility)
    assert opened == [getattr(syslog, f'LOG_{facility.upper()}')]
