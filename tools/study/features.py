"""The same feature in each driver's code: which definitions have it, and what to see in them.

The definitions are named here and read from the source when a report is made; a test holds that each exists.
"""

import asyncio.selector_events
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from selredis.driver import LAST_FLUSH_MS
from selredis.net.connection import MAX_SEND_BYTES
from selredis.net.listener import ACCEPTS_A_TURN, PAUSE_MS
from selredis.net.remote_client import HIGH_WATER_BYTES, LOW_WATER_BYTES, READ_BYTES
from tools.study.source import coloured, piece

SELECTORS, PROTOCOL, STREAMS = 'selectors loop', 'asyncio protocol', 'asyncio streams'

LISTENER = 'selredis/net/listener.py:Listener'
LOOP = 'selredis/net/loop.py:Loop'
CONNECTION = 'selredis/net/connection.py:Connection'
SERVER = 'selredis/server.py:Server'
DRIVER = 'selredis/driver.py:Driver'
TIMERS = 'selredis/timers.py:Timers'
TRANSPORT = 'tools/study/asyncio_client.py:TransportClient'
ASYNCIO = 'tools/study/asyncio_driver.py'
PROTOCOLS = 'tools/study/asyncio_server.py'
STREAM = 'tools/study/streams_server.py:StreamClient'
STREAM_SERVER = 'tools/study/streams_server.py:StreamsServer'

KB, MB = 1024, 1024 * 1024
TRANSPORT_READ_BYTES: int = vars(asyncio.selector_events)['_SelectorTransport'].max_size


@dataclass(frozen=True)
class Feature:
    """`words` are HTML; `places` are definitions by driver, as tools.study.source names them."""

    title: str
    words: str
    places: Mapping[str, Sequence[str]]


FEATURES: Sequence[Feature] = (
    Feature(
        'Accepting a connection',
        f'The selectors loop accepts by itself: at most {ACCEPTS_A_TURN} newcomers a turn, and when no descriptor is'
        f' left it looks away for {PAUSE_MS} ms, for the listening socket would stay readable and the loop would spin.'
        ' asyncio has both (it accepts up to the backlog and pauses when descriptors run out), and calls a factory, or'
        ' starts a coroutine, for each newcomer. For that it makes a task and a future for every connection: this is'
        ' what the counts of connect, PING, QUIT show.',
        {
            SELECTORS: [f'{LISTENER}.on_readable', f'{SERVER}.on_accepted'],
            PROTOCOL: [
                f'{PROTOCOLS}:AsyncioServer.add_listener',
                f'{PROTOCOLS}:ProtocolFactory.__call__',
                f'{PROTOCOLS}:RedisServerProtocol.connection_made',
                f'{TRANSPORT}.welcome',
            ],
            STREAMS: [f'{STREAM_SERVER}.add_listener', f'{STREAM_SERVER}.serve'],
        },
    ),
    Feature(
        'Reading',
        f'One recv for each readable socket and turn. The selectors connections all read into one buffer of'
        f' {READ_BYTES // KB} KB, and what is in the middle of a long value goes from there to where the value grows;'
        f' asyncio&rsquo;s transport has a new object of {TRANSPORT_READ_BYTES // KB} KB filled each time, and then cut'
        f' to what has come. The protocol is handed the bytes by'
        ' the transport, which has already told an error or the end of the stream from data. The coroutine reads from'
        ' a StreamReader: the transport puts the bytes there, completes a future, and the coroutine goes on in the'
        ' loop&rsquo;s next round of callbacks. What follows, parsing and running, is the same method for all.',
        {
            SELECTORS: [f'{LOOP}.turn', f'{CONNECTION}.on_readable'],
            PROTOCOL: [f'{PROTOCOLS}:RedisServerProtocol.data_received'],
            STREAMS: [f'{STREAM}.serve'],
        },
    ),
    Feature(
        'Flushing',
        'Replies and messages are queued while clients&rsquo; input is run, and leave once a turn: a pipeline, or many'
        ' messages for one subscriber, become one send. The selectors loop does it before it waits again. On asyncio it'
        ' is a handle of <code>call_soon</code>, which runs in the next round; before that round asyncio asks the'
        ' selector once more, without waiting. This is the second <code>epoll_wait</code> in the table of system calls,'
        ' and what <code>--flush now</code> saves where there is one reply a turn; uvloop does without it.',
        {
            SELECTORS: [f'{DRIVER}.before_sleep', f'{DRIVER}.flush', f'{CONNECTION}.flush', f'{CONNECTION}.send'],
            PROTOCOL: [
                f'{ASYNCIO}:AsyncioDriver.call_again',
                f'{ASYNCIO}:AsyncioDriver.turn',
                f'{TRANSPORT}.flush',
            ],
            STREAMS: [
                f'{ASYNCIO}:AsyncioDriver.call_again',
                f'{ASYNCIO}:AsyncioDriver.turn',
                f'{TRANSPORT}.flush',
            ],
        },
    ),
    Feature(
        'Backpressure',
        'What a socket does not take must wait somewhere. The selectors connection keeps it in a deque, watches for the'
        f' socket to become writable only while there is any, and sends at most {MAX_SEND_BYTES // KB} KB a turn. A'
        ' transport has its own buffer and says when it begins to fill (<code>pause_writing</code>) and when it is'
        ' empty (<code>resume_writing</code>); the streams&rsquo; <code>drain()</code> awaits that. All three stop'
        f' running a client&rsquo;s commands while it leaves more than {HIGH_WATER_BYTES // MB} MB unread; the'
        f' selectors loop and the streams go on at {LOW_WATER_BYTES // MB} MB, the protocol when all is gone.',
        {
            SELECTORS: [
                f'{CONNECTION}.keep_queued',
                f'{CONNECTION}.keep',
                f'{CONNECTION}.on_writable',
                f'{CONNECTION}.update_congested',
            ],
            PROTOCOL: [
                f'{PROTOCOLS}:RedisServerProtocol.pause_writing',
                f'{PROTOCOLS}:RedisServerProtocol.resume_writing',
                f'{PROTOCOLS}:RedisServerProtocol.update_congested',
                f'{PROTOCOLS}:RedisServerProtocol.update_reading',
                f'{TRANSPORT}.update_unsent',
            ],
            STREAMS: [f'{STREAM}.update_congested', f'{STREAM}.drain', f'{TRANSPORT}.update_unsent'],
        },
    ),
    Feature(
        'A deadline: BLPOP gives up',
        'The engine asks for a callback at a point in time. Under the selectors loop that is a heap, looked at once a'
        ' turn; the earliest deadline is how long the loop may wait. On asyncio it is <code>loop.call_at</code>. The'
        ' callback answers the client in every driver; where a coroutine stands still meanwhile, it must be told that'
        ' its client goes on, by a future.',
        {
            SELECTORS: [f'{TIMERS}.call_at', f'{TIMERS}.run_due', f'{TIMERS}.seconds_until_next'],
            PROTOCOL: [f'{ASYNCIO}:LoopTimers.call_at', f'{ASYNCIO}:LoopTimers.run', f'{ASYNCIO}:LoopTimer.cancel'],
            STREAMS: [f'{ASYNCIO}:LoopTimers.call_at', f'{STREAM}.resume', f'{STREAM}.wake'],
        },
    ),
    Feature(
        'A client that vanishes while it waits',
        'Its socket becomes readable and the read says that the stream has ended. The selectors loop and the protocol'
        ' hear of it whatever the client waits for, as they never stop listening for want of something to do. A'
        ' coroutine that awaits nothing but the future of its wake-up hears nothing; so this one reads ahead while it'
        ' waits, and awaits whichever comes first.',
        {
            SELECTORS: [f'{CONNECTION}.on_readable', f'{CONNECTION}.close'],
            PROTOCOL: [f'{PROTOCOLS}:RedisServerProtocol.connection_lost', f'{TRANSPORT}.part'],
            STREAMS: [f'{STREAM}.serve', 'tools/study/streams_server.py:first_of', f'{STREAM_SERVER}.serve'],
        },
    ),
    Feature(
        'Stop',
        'No newcomers, no more commands, and who is owed replies may take them for as long as'
        f' {LAST_FLUSH_MS / 1000:g} s: this is shared (<code>Driver.shut_down</code>). A signal must end a wait: the'
        ' selectors loop has the interpreter write into its own socket pair, asyncio has'
        ' <code>add_signal_handler</code>, which does the same. On asyncio transports close in a later round, and'
        ' coroutines end by being cancelled, so the loop has to run once more before it is closed.',
        {
            SELECTORS: [
                f'{DRIVER}.shut_down',
                f'{SERVER}.call_on_signal',
                f'{LOOP}.wake_on_signals',
                f'{SERVER}.close',
                f'{LOOP}.close',
            ],
            PROTOCOL: [
                f'{DRIVER}.shut_down',
                f'{ASYNCIO}:AsyncioDriver.call_on_signal',
                f'{ASYNCIO}:AsyncioDriver.close',
                f'{ASYNCIO}:AsyncioDriver.let_all_end',
                f'{ASYNCIO}:AsyncioListener.close',
            ],
            STREAMS: [f'{DRIVER}.shut_down', f'{ASYNCIO}:AsyncioDriver.let_all_end', f'{STREAM_SERVER}.serve'],
        },
    ),
)


def feature_html(feature: Feature) -> str:
    """A feature's words, and its code in a column for each driver. What a column to the left has is only named."""
    shown: dict[str, str] = {}
    columns = []
    for driver, places in feature.places.items():
        parts = [f'<h4>{escape(driver)}</h4>']
        for place in places:
            if place in shown:
                name = place.partition(':')[2]
                parts.append(f'<p><code>{escape(name)}</code>: as beside, {escape(shown[place])}</p>')
                continue
            shown[place] = driver
            found = piece(place)
            parts.append(
                f'<p><code>{escape(found.name)}</code> <small>{escape(found.file)}:{found.line}</small></p>'
                f'<pre><code>{coloured(found.text)}</code></pre>'
            )
        columns.append(f'<div>{"".join(parts)}</div>')
    return (
        f'<h3>{escape(feature.title)}</h3>\n<p>{feature.words}</p>\n'
        f'<details><summary>The code</summary>\n<div class="side-by-side three">{"".join(columns)}</div></details>'
    )
