"""Following requests through a driver: the recorder on a small program, strace's log, and a GET through selectors."""

import sys
from collections import Counter

import pytest

from tools.benchmark.report import BenchError
from tools.study.contestants import CONTESTANTS, Startable
from tools.study.profiled import PYTHON, C, Call, Recorder, c_name, short_name
from tools.study.scenarios import SCENARIOS
from tools.study.tracing import counted, read_call, trace, usual, watch, written
from tools.study.watched import ProfiledServer, TracedServer, strace_missing, system_calls

SELECTORS = next(startable for startable in CONTESTANTS if startable.id == 'selectors')
GET = next(scenario for scenario in SCENARIOS if scenario.id == 'get')


class Small:
    """A program whose calls are known."""

    def whole(self):
        return [self.part(word) for word in ('a', 'bc')]

    def part(self, word):
        return len(word)


@pytest.fixture
def recorder():
    before = sys.getprofile()
    recorder = Recorder()
    sys.setprofile(recorder)
    yield recorder
    sys.setprofile(before)


def test_the_recorder_notes_python_and_c_calls_with_their_depth(recorder):
    small = Small()
    recorder.calls = []
    small.whole()
    calls, recorder.calls = recorder.calls, None
    mine = [call for call in calls if 'listcomp' not in call.function]  # a function of its own until Python 3.12
    top = mine[0].depth
    assert [(call.kind, call.function) for call in mine] == [
        (PYTHON, 'Small.whole'),
        (PYTHON, 'Small.part'),
        (C, 'len'),
        (PYTHON, 'Small.part'),
        (C, 'len'),
    ]
    assert mine[2].depth == mine[1].depth + 1 > top + 1
    assert {call.file for call in mine} == {'tests/study/test_tracing.py'}
    assert mine[0].line == Small.whole.__code__.co_firstlineno


def test_nothing_is_noted_outside_a_window(recorder):
    Small().whole()
    assert recorder.calls is None
    assert recorder.seen


def test_files_are_named_as_their_reader_knows_them():
    assert short_name(Small.part.__code__.co_filename) == 'tests/study/test_tracing.py'
    assert short_name(Counter.update.__code__.co_filename) == 'collections/__init__.py'
    assert short_name('<string>') == '<string>'


def test_c_functions_are_named_with_their_type_or_module():
    assert c_name(len) == 'len'
    assert c_name([].append) == 'list.append'
    assert c_name(sys.getprofile) == 'sys.getprofile'


def test_the_most_frequent_window_is_taken():
    call = Call(PYTHON, 0, 'f', 'a.py', 1)
    window = usual(Counter([(call,), (call, call), (call,), (call, call, call)]))
    assert (window.calls, window.agreed, window.rounds) == ((call,), 2, 4)


def test_of_equally_frequent_windows_the_middle_one_is_taken():
    call = Call(PYTHON, 0, 'f', 'a.py', 1)
    assert len(usual(Counter([(call,) * 3, (call,) * 9, (call,) * 2])).calls) == 3


def test_counts_are_by_function_and_file():
    calls = [Call(C, 1, 'len', 'a.py', 1), Call(C, 1, 'len', 'a.py', 7), Call(C, 1, 'len', 'b.py', 1)]
    assert counted(calls) == {'c|a.py|len': 2, 'c|b.py|len': 1}


def test_a_call_is_read_as_it_was_written():
    call = Call(PYTHON, 3, 'f.<locals>.<lambda>', 'a.py', 12)
    assert read_call(written(call)) == call


def test_system_calls_are_read_from_the_log():
    log = (
        b' [...], 2, 11) = 1\n'
        b'1985  recvfrom(7, ""..., 65536, 0, NULL, NULL) = 14\n'
        b'1985  epoll_wait(3, [], 3, 100)     = -1 EINTR (Interrupted system call)\n'
        b'1986  futex(0x1, FUTEX_WAIT <unfinished ...>\n'
        b'1985  sendto(7, ""..., 7, 0, NULL, 0) = 7\n'
        b'1986  <... futex resumed>) = 0\n'
        b'1985  epoll_wait(3, '
    )
    assert system_calls(log) == ['recvfrom', 'futex', 'sendto', 'epoll_wait']


def test_a_get_runs_the_commands_handler_once():
    with ProfiledServer(SELECTORS) as server:
        window = watch(server, GET, 3)
    functions = [(call.kind, call.function, call.file) for call in window.calls]
    assert functions.count((PYTHON, 'get', 'selredis/commands/strings.py')) == 1
    assert functions.count((C, 'socket.recv_into', 'selredis/net/connection.py')) == 1
    assert functions.count((C, 'socket.send', 'selredis/net/connection.py')) == 1
    assert min(call.depth for call in window.calls) == 0


@pytest.mark.skipif(bool(strace_missing()), reason=strace_missing() or 'there')
def test_a_get_is_a_read_a_write_and_a_wait():
    try:
        server = TracedServer(SELECTORS)
    except BenchError as error:
        pytest.skip(f'strace may not: {error}')
    with server:
        window = watch(server, GET, 3)
    assert [call.function for call in window.calls] == ['recvfrom', 'sendto', 'epoll_wait']


def test_who_cannot_be_followed_is_named_and_left_out():
    broken = Startable('broken', 'broken driver', 'driver', [sys.executable, '-m', 'no_such_module', '{port}'])
    absent = Startable('absent', 'absent driver', 'driver', ['absent', '{port}'], 'no_such_program')
    traces, missing = trace([broken, absent], quick=True)
    assert 'function calls: broken driver' in missing
    assert traces['calls'] == traces['system'] == {}
