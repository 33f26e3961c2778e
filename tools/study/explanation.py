"""The page's second half: why the figures are as they are. Made of the traces of a run and of the source as it is."""

import asyncio.constants
import platform
from collections.abc import Sequence
from html import escape

from selredis.net.listener import PAUSE_MS
from tools.study import followed
from tools.study.features import ASYNCIO, FEATURES, PROTOCOL, SELECTORS, STREAMS, feature_html
from tools.study.results import Results
from tools.study.scenarios import SCENARIOS
from tools.study.source import code_lines, slots
from tools.study.tables import html_table

DRIVERS = (SELECTORS, PROTOCOL, STREAMS)

# What only this driver needs, and what for. The command line of the two on asyncio is no part of a driver.
OWN_CODE: Sequence[tuple[str, str, Sequence[str]]] = (
    ('selredis/net/loop.py', 'readiness, turns, wake-ups', [SELECTORS]),
    ('selredis/timers.py', 'deadlines', [SELECTORS]),
    ('selredis/net/listener.py:Listener', 'accepting', [SELECTORS]),
    ('selredis/net/connection.py', 'a connection: reading, sending, backpressure', [SELECTORS]),
    ('selredis/server.py', 'the driver: start, signals, stop', [SELECTORS]),
    (f'{ASYNCIO}:LoopTimer', 'deadlines', [PROTOCOL, STREAMS]),
    (f'{ASYNCIO}:LoopTimers', 'deadlines', [PROTOCOL, STREAMS]),
    (f'{ASYNCIO}:AsyncioListener', 'accepting', [PROTOCOL, STREAMS]),
    (f'{ASYNCIO}:AsyncioDriver', 'the driver: turns, signals, stop', [PROTOCOL, STREAMS]),
    ('tools/study/asyncio_client.py', 'a connection: sending, limits', [PROTOCOL, STREAMS]),
    ('tools/study/asyncio_server.py', 'the protocol, its factory, its server', [PROTOCOL]),
    ('tools/study/streams_server.py', 'the coroutine, its server', [STREAMS]),
)
SHARED_CODE = ('selredis/driver.py', 'selredis/net/remote_client.py')
# What a driver rests on of the standard library's Python. All of it is counted, needed or not.
LIBRARY: Sequence[tuple[str, Sequence[str]]] = (
    ('selectors.py', DRIVERS),
    ('asyncio/base_events.py', [PROTOCOL, STREAMS]),
    ('asyncio/selector_events.py', [PROTOCOL, STREAMS]),
    ('asyncio/unix_events.py', [PROTOCOL, STREAMS]),
    ('asyncio/events.py', [PROTOCOL, STREAMS]),
    ('asyncio/transports.py', [PROTOCOL, STREAMS]),
    ('asyncio/streams.py', [STREAMS]),
)
# A connection's own attributes, over those that every driver's has.
STATES = {
    SELECTORS: ['selredis/net/connection.py:Connection'],
    PROTOCOL: ['tools/study/asyncio_client.py:TransportClient', 'tools/study/asyncio_server.py:RedisServerProtocol'],
    STREAMS: ['tools/study/asyncio_client.py:TransportClient', 'tools/study/streams_server.py:StreamClient'],
}

GIVEN = (
    (
        'accepting',
        'by hand: in bounded bursts, and a pause of'
        f' {PAUSE_MS} ms when descriptors run out. Left out, a flood of newcomers starves who is in, or the loop spins',
        'given: up to the backlog at a time, and a pause of'
        f' {asyncio.constants.ACCEPT_RETRY_DELAY:g} s when descriptors run out',
        'given, the same',
    ),
    (
        'reading',
        'by hand: recv, and to tell “not now” from an error and from the end',
        'given; an exception of the protocol costs its connection, and the loop goes on',
        'given, with a buffer in between that stops reading when it is full; whoever forgets to read on hears nothing'
        ' any more, not even the end',
    ),
    (
        'sending',
        'by hand: what the socket did not take, in what pieces, and to watch for room only while there is something.'
        ' Watching too long spins, too short hangs',
        'given; but <code>write</code> takes whatever it is given: without <code>pause_writing</code> and a limit, a'
        ' peer that does not read is kept in memory',
        'given; who does not await <code>drain()</code> has no backpressure, and who awaits it while sending to others'
        ' has the slowest of them set the pace',
    ),
    (
        'deadlines',
        'by hand: a heap, with cancelled entries that must not pile up',
        'given: <code>call_at</code>',
        'given: <code>call_at</code>; what awaits must be woken as well',
    ),
    (
        'signals',
        'by hand: a self-pipe, so that a signal ends a wait',
        'given: <code>add_signal_handler</code>',
        'given: <code>add_signal_handler</code>',
    ),
    (
        'a client that waits',
        'nothing: an entry in a table; the connection is watched all the same',
        'nothing: as beside',
        'by hand: a future to await, a read ahead to notice the end, and whichever comes first',
    ),
    (
        'when replies leave',
        'by hand, and free to choose: at the end of the turn, before the wait',
        'by hand: <code>call_soon</code>, a round later',
        'by hand: as beside',
    ),
    (
        'the end',
        'nothing to undo: close the sockets',
        'transports close a round later: the loop has to run again before it is closed',
        'as beside, and every coroutine has to be cancelled and awaited',
    ),
)

CONDUCT = (
    (
        'A subscriber that does not read',
        'Messages pile up behind its socket, outside its sender&rsquo;s way: PUBLISH only queues. Past'
        ' <code>client-output-buffer-limit pubsub</code> it is cut off, and no other client has waited for it. A'
        ' backlog leaves in bounded pieces, one a turn.',
        'The same, the backlog in the transport&rsquo;s buffer, and what comes while writing is paused in a list of the'
        ' protocol&rsquo;s. The limit is checked after a write and by the clock, as the transport knows none.',
        'The same. Nobody awaits <code>drain()</code> for it: with <code>await writer.drain()</code> for each'
        ' subscriber in PUBLISH, the slowest would hold up all who follow.',
    ),
    (
        'A client that asks and does not read its replies',
        'At the high-water mark its commands stop and its socket is not read; TCP then stops the client. Below the low'
        ' mark it goes on.',
        'The same by <code>pause_reading</code>; what the transport had read is kept.',
        'Its commands stop. The coroutine awaits <code>drain()</code> or, once it holds a read&rsquo;s worth, its turn;'
        ' the StreamReader fills and pauses the transport. A task beside it awaits <code>drain()</code>, too, to let'
        ' the commands go on: should the peer vanish, it may be the only one to learn of it, and must say so.',
    ),
    (
        'A client that vanishes during BLPOP',
        'The read returns the end; the wait is taken out of the queue at once, so that the next RPUSH serves the next'
        ' in line. Nothing is cancelled, for nothing stands still.',
        'The same, by <code>connection_lost</code>.',
        'The read ahead returns the end and the coroutine leaves. A coroutine that awaited the future alone would never'
        ' have been told; its client would stay in the queue and be handed an element that nobody gets.',
    ),
    (
        'A client that says more during BLPOP',
        'It is read and held until the wait is over, up to the limit of its query buffer.',
        'The same.',
        'The same by the read ahead, a buffer&rsquo;s worth at a time.',
    ),
    (
        'Ctrl-C',
        'The listeners close, waiting clients see the end of their connection, replies that are owed still leave, and'
        ' the process ends with code 0. A second Ctrl-C ends it at once.',
        'The same.',
        'The same; coroutines that still stand somewhere are cancelled when the loop is closed.',
    ),
)


def explanation_html(results: Results) -> str:
    """Sections that follow the figures. Works with whatever part of the traces there is."""
    sections = [*calls_section(results), *system_section(results), *code_section(), *hand_section(), *conduct_section()]
    return '\n'.join(section for section in sections if section)


def calls_section(results: Results) -> list[str]:
    table = followed.calls_table(results)
    notes = followed.missing(results, 'function calls')
    if not table and not notes:
        return []
    lines = ['<section id="calls">', '<h2>Followed call by call</h2>']
    if table:
        python = results.versions.get('python', '')
        lines += [
            '<p>Every call of a function is recorded (<code>sys.setprofile</code>) from the moment that a client speaks'
            ' to the moment that the server waits again. Every recording is made several times, and the one that came'
            f' most often is shown: {followed.agreement(results)} were like it, the others have something else in them,'
            ' such as the server&rsquo;s clock. So the numbers are exact, and the same on any machine with the same'
            f' Python and kind of selector{" (" + escape(python) + ")" if python else ""}. <i>Python + C</i> is'
            ' functions written in Python, and functions written in C that Python code calls. Not seen is what C code'
            ' does by itself: asyncio&rsquo;s C parts, and nearly all of uvloop, which is why its numbers are small. A'
            ' coroutine counts each time that it goes on. A path begins where the wait for the client&rsquo;s words'
            ' returns, and ends with the next wait.</p>',
            table,
        ]
        for scenario in SCENARIOS:
            layers, paths = followed.layers_table(results, scenario.id), followed.paths(results, scenario.id)
            if paths:
                lines += [f'<h3>{escape(scenario.title)}</h3>', layers, paths]
            elif layers:
                lines.append(f'<details><summary>By layer: {escape(scenario.title)}</summary>{layers}</details>')
    return [*lines, notes, '</section>']


def system_section(results: Results) -> list[str]:
    table = followed.system_table(results)
    notes = followed.missing(results, 'system calls')
    if not table and not notes:
        return []
    lines = ['<section id="system-calls">', '<h2>System calls</h2>']
    if table:
        lines.append(
            '<p>Counted in the same windows with <code>strace</code>. A wait (<code>epoll_wait</code> or its like) that'
            ' ends in the window counts once. Of 50 connections all have spoken before the server sees the first. How'
            ' long a call takes is another matter.</p>'
        )
        lines += [
            f'<h3>{escape(scenario.title)}</h3>\n{order}'
            for scenario in SCENARIOS
            if scenario.followed and (order := followed.system_order(results, scenario.id))
        ]
        lines.append(f'<details><summary>Table: system calls by name</summary>{table}</details>')
    return [*lines, notes, '</section>']


def code_section() -> list[str]:
    return [
        '<section id="side-by-side">',
        '<h2>The same in code</h2>',
        '<p>Read from the source when this page was made. The selectors loop is selredis as it is installed; the other'
        ' two are in <code>tools/study/</code>. uvloop runs the asyncio protocol&rsquo;s code.</p>',
        *(feature_html(feature) for feature in FEATURES),
        '</section>',
    ]


def hand_section() -> list[str]:
    return [
        '<section id="by-hand">',
        '<h2>What is given, and what is written by hand</h2>',
        '<p>Lines of code without comments, docstrings and empty lines, of what only this driver needs:</p>',
        own_lines_table(),
        f'<p>Beside these all drivers share {sum(map(code_lines, SHARED_CODE)):,} lines'
        f' ({", ".join(f"<code>{escape(file)}</code>" for file in SHARED_CODE)}): who may come in, what happens once a'
        ' turn, how it ends; held input and limits. What a driver rests on of the standard library, in lines of Python'
        f' (version {platform.python_version()}), whether it needs them or not:</p>',
        library_table(),
        '<h3>What a connection keeps in mind</h3>',
        '<p>Attributes of a connection, over those that every driver&rsquo;s has. On asyncio the state of the'
        ' socket is the transport&rsquo;s; the driver keeps a copy of what the engine must know of it. The'
        ' streams&rsquo; connection is also in a state by where its coroutine stands.</p>',
        states_table(),
        '<h3>By subject, and what goes wrong</h3>',
        html_table(['', *DRIVERS], GIVEN, 'words'),
        '</section>',
    ]


def own_lines_table() -> str:
    rows = []
    for place, purpose, drivers in OWN_CODE:
        lines = f'{code_lines(place):,}'
        file, _, name = place.partition(':')
        label = f'<code>{escape(file)}</code>{", " + escape(name) if name else ""} <small>{escape(purpose)}</small>'
        rows.append([label, *(lines if driver in drivers else '' for driver in DRIVERS)])
    totals = (sum(code_lines(place) for place, _, drivers in OWN_CODE if driver in drivers) for driver in DRIVERS)
    rows.append(['<b>together</b>', *(f'<b>{total:,}</b>' for total in totals)])
    return html_table(['lines of code', *DRIVERS], rows, 'figures')


def library_table() -> str:
    rows = [
        [f'<code>{file}</code>', *(f'{code_lines(file):,}' if driver in drivers else '' for driver in DRIVERS)]
        for file, drivers in LIBRARY
    ]
    totals = (sum(code_lines(file) for file, drivers in LIBRARY if driver in drivers) for driver in DRIVERS)
    rows.append(['<b>together</b>', *(f'<b>{total:,}</b>' for total in totals)])
    return html_table(['lines of code', *DRIVERS], rows, 'figures')


def states_table() -> str:
    rows = []
    for driver, classes in STATES.items():
        names = [name for place in classes for name in slots(place)]
        rows.append([driver, str(len(names)), ', '.join(f'<code>{escape(name)}</code>' for name in names)])
    return html_table(['', 'attributes', ''], rows, 'words')


def conduct_section() -> list[str]:
    return [
        '<section id="conduct">',
        '<h2>Backpressure, vanished clients, stop</h2>',
        '<p>What clients see is the same in all drivers: the tests put the same to each of them. How it comes about is'
        ' not the same:</p>',
        html_table(['', *DRIVERS], CONDUCT, 'words'),
        '</section>',
    ]
