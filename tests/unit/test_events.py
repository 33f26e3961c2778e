import ast
from pathlib import Path

import pytest

import selredis
from selredis.keyspace.events import CLASS_OF_EVENT, Notifier
from selredis.pubsub import PubSub

SOURCES = sorted(Path(selredis.__file__).parent.rglob('*.py'))
TELLING = {'changed', 'notify', 'remove'}  # functions whose arguments name events


class Publisher(PubSub):
    """Takes down what is published."""

    def __init__(self):
        super().__init__([])
        self.published = []
        self.channels[b'somebody listens'] = {}

    def publish(self, channel, message):
        self.published.append((channel, message))
        return 0


def published(classes, event=b'del'):
    publisher = Publisher()
    notifier = Notifier(publisher)
    notifier.classes = frozenset(classes)
    notifier.notify(3, b'a key', event)
    return publisher.published


def test_the_key_is_told_the_event_and_then_the_event_the_key():
    assert published('KEg') == [(b'__keyspace@3__:a key', b'del'), (b'__keyevent@3__:del', b'a key')]


def test_nothing_is_published_while_nobody_listens():
    publisher = Publisher()
    publisher.channels.clear()
    notifier = Notifier(publisher)
    notifier.classes = frozenset('KEA')
    notifier.notify(0, b'a key', b'del')
    assert publisher.published == []


@pytest.mark.parametrize(
    ('classes', 'count'), [('', 0), ('KE', 0), ('g', 0), ('Kg', 1), ('Eg', 1), ('KE$l', 0), ('KE$lg', 2)]
)
def test_nothing_is_published_that_was_not_asked_for(classes, count):
    assert len(published(classes)) == count


@pytest.mark.parametrize(
    ('event', 'letter'),
    [(b'expired', 'x'), (b'expire', 'g'), (b'set', '$'), (b'lpush', 'l'), (b'new', 'n'), (b'keymiss', 'm')],
)
def test_classes(event, letter):
    assert CLASS_OF_EVENT[event] == letter
    assert published(f'K{letter}', event)


def test_every_event_that_the_source_names_has_a_class():
    named = {
        argument.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8')))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TELLING
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, bytes)
    }
    assert named >= {b'del', b'rename_from', b'expired'}
    assert named <= CLASS_OF_EVENT.keys()
