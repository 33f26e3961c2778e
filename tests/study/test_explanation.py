"""The page's second half: the source pieces that it shows exist, and it is made of whatever a run has."""

import re

import pytest

from tests.study.samples import CONTESTANTS
from tools.study.explanation import LIBRARY, OWN_CODE, SHARED_CODE, STATES, explanation_html
from tools.study.features import FEATURES, PROTOCOL, SELECTORS, STREAMS, feature_html
from tools.study.followed import LAYERS, OTHER, Counts, count, layer_of, path_lines
from tools.study.profiled import MARK, PYTHON, C, Call
from tools.study.results import Results
from tools.study.source import NoSuchSource, code_lines, coloured, piece, slots

PLACES = sorted({place for feature in FEATURES for places in feature.places.values() for place in places})


def results(**parts):
    return Results('name', 'now', True, 'command', contestants=CONTESTANTS, **parts)


TRACES = {
    'scenarios': [{'id': 'get', 'title': 'GET', 'unit': 'request', 'units': 1}],
    'calls': {
        'selectors': {
            'get': {
                'rounds': 5,
                'agreed': 5,
                'functions': {
                    'python|selredis/net/loop.py|Loop.turn': 2,
                    'python|selredis/commands/strings.py|get': 1,
                    'c|selredis/net/connection.py|socket.recv': 1,
                    'c|asyncio/events.py|<odd>': 1,
                },
            }
        }
    },
    'paths': {
        'selectors': {
            'get': [
                'python|0|selredis/net/loop.py|87|Loop.turn',
                'c|1|selredis/net/loop.py|99|epoll.poll',
                'mark|0||0|Then <more>.',
            ]
        }
    },
    'system': {'selectors': {'get': {'rounds': 5, 'agreed': 5, 'order': 'recvfrom sendto sendto epoll_wait'}}},
}


@pytest.mark.parametrize('place', PLACES)
def test_every_piece_of_source_exists(place):
    found = piece(place)
    name = place.rpartition(':')[2].rpartition('.')[2]
    assert re.match(rf'(@.*\n)*(async )?(def|class) {name}\b', found.text)


def test_every_feature_shows_code_of_each_driver():
    assert all(set(feature.places) == {SELECTORS, PROTOCOL, STREAMS} for feature in FEATURES)


@pytest.mark.parametrize('place', [*(place for place, _, _ in OWN_CODE), *SHARED_CODE, *(file for file, _ in LIBRARY)])
def test_every_counted_file_has_code(place):
    assert code_lines(place) > 5


def test_every_class_of_states_has_slots():
    assert slots(STATES[SELECTORS][0]) == ['loop', 'reading', 'sock', 'unsent']
    assert all(slots(place) is not None for places in STATES.values() for place in places)


@pytest.mark.parametrize('place', ['selredis/net/loop.py:Loop.gone', 'selredis/gone.py:Loop', 'selredis/gone.py'])
def test_what_is_not_in_the_source_is_an_error(place):
    with pytest.raises(NoSuchSource):
        piece(place)


def test_lines_of_code_are_without_comments_docstrings_and_empty_lines(tmp_path, monkeypatch):
    (tmp_path / 'small.py').write_text(
        '"""What it is.\n\nAt length.\n"""\n\nimport os  # counts\n\n\n'
        'def f():\n    """Says."""\n    # why\n    return (\n        os.name\n    )\n\n\nTEXT = """a\n\nb"""\n'
    )
    monkeypatch.setattr('tools.study.source.ROOT', tmp_path)
    assert code_lines('small.py') == 1 + 4 + 3
    assert code_lines('small.py:f') == 4


def test_colouring_changes_nothing_but_adds_tags():
    text = 'async def f(a):\n    """Says <so>."""\n    # why & how\n    return a < "in"\n'
    html = coloured(text)
    assert html == (
        '<b>async</b> <b>def</b> f(a):\n    <i>"""Says &lt;so&gt;."""</i>\n    <i># why &amp; how</i>\n'
        '    <b>return</b> a &lt; "in"\n'
    )


def test_a_feature_is_escaped_and_has_its_code():
    html = feature_html(FEATURES[0])
    assert '<h4>asyncio protocol</h4>' in html
    assert '-&gt; <b>None</b>:' in html
    assert '->' not in html


def test_files_belong_to_layers():
    connection = 'connection, and the turn of the server'
    assert layer_of('asyncio/events.py') == layer_of('selredis/net/loop.py') == 'loop and transport'
    assert layer_of('selredis/net/connection.py') == layer_of('tools/study/streams_server.py') == connection
    assert layer_of('selredis/commands/strings.py') == 'command'
    assert layer_of('selredis/pubsub.py') == 'engine'
    assert layer_of('enum.py') == OTHER
    assert OTHER not in LAYERS


def test_counts_are_divided_by_what_a_window_has():
    counts = Counts({'python|asyncio/events.py|f': 3, 'c|asyncio/events.py|len': 8}, 2)
    assert counts.cell('loop and transport') == counts.cell() == '1.50 + 4'
    assert counts.cell('command') == '0'
    assert [count(2.0), count(1 / 16)] == ['2', '0.06']


def test_c_calls_of_a_caller_share_a_line():
    calls = [
        Call(PYTHON, 0, 'f', 'a.py', 1),
        Call(C, 1, 'len', 'a.py', 2),
        Call(C, 1, 'len', 'a.py', 3),
        Call(C, 1, 'list.append', 'a.py', 3),
        Call(PYTHON, 1, 'g.<locals>.h', 'b.py', 9),
        Call(MARK, 0, 'next', '', 0),
    ]
    assert list(path_lines(calls)) == [
        'f <i>a.py:1</i>',
        '  <small>len &times;2, list.append</small>',
        '  g.&lt;locals&gt;.h <i>b.py:9</i>',
        '<b>— next —</b>',
    ]


def test_a_run_without_traces_is_explained_by_its_code():
    html = explanation_html(results())
    assert 'id="calls"' not in html
    assert 'id="system-calls"' not in html
    assert 'id="side-by-side"' in html
    assert 'id="by-hand"' in html


def test_what_could_not_be_followed_is_named():
    html = explanation_html(results(missing={'system calls': 'strace is not <installed>'}))
    assert 'Not measured: system calls: strace is not &lt;installed&gt;.' in html


def test_traces_are_shown():
    html = explanation_html(results(traces=TRACES))
    assert '3 + 2' in html
    assert 'Loop.turn <i>selredis/net/loop.py:87</i>' in html
    assert 'recvfrom → sendto &times;2 → epoll_wait' in html
    assert '<odd>' not in html
    assert 'Then &lt;more&gt;.' in html


@pytest.mark.parametrize('part', ['calls', 'paths', 'system'])
def test_traces_may_be_partial(part):
    traces = {name: {} if name == part else content for name, content in TRACES.items()}
    assert 'id="conduct"' in explanation_html(results(traces=traces))


def test_tags_are_balanced():
    html = explanation_html(results(traces=TRACES))
    for tag in ('section', 'table', 'details', 'div', 'pre', 'code', 'p', 'b', 'i', 'small', 'h2', 'h3', 'h4'):
        assert len(re.findall(rf'<{tag}[ >]', html)) == html.count(f'</{tag}>'), tag
