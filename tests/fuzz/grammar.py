"""Random calls of commands, made from the commands' own declarations.

The syntax line of a handler's docstring is read into the argument tree of COMMAND DOCS (engine/syntax.py). Here each
node of that tree becomes a function that appends words, so that a call has tokens, options and repetitions in the
places where the command takes them, and words that the names and types of its arguments suggest. Now and then a word
is missing, too many, or of another kind.
"""

from collections.abc import Callable, Sequence
from random import Random

import selredis.commands  # noqa: F401  (importing it fills the command table)
from selredis.commands.debug import SUBCOMMANDS
from selredis.engine.command import Command, all_commands
from selredis.engine.syntax import Argument, docstring_parts, parse_syntax
from tests.fuzz.vocabulary import HOSTILE, PARAMETERS, words_for

OPTIONAL_SHARE = 0.3
FLAWED_SHARE = 0.06  # of calls, in which a word is missing, too many or replaced
REPETITIONS = (1, 1, 1, 1, 2, 2, 3, 5)
SAME_COUNT_SHARE = 0.9  # numkeys is the number of keys, there are as many ids as keys
MANY = 70  # members at once: more than the account of memory measures one by one
MANY_SHARE = 0.01

# It ends the server; they stop it, or take milliseconds by themselves; writes a file.
LEFT_OUT = {'shutdown', 'pfselftest', 'debug|sleep', 'debug|stringmatch-test', 'debug|config-rewrite-force-all'}
# Large replies, or much work for what they may find.
RARE = {'command', 'command|docs', 'command|info', 'command|list', 'lolwut', 'memory|doctor', 'latency|histogram'}
# How often a command is called, by its name or else its group.
WEIGHTS = {
    'cluster': 1,
    'server': 5,
    'flushall': 1,
    'flushdb': 1,
    'quit': 2,
    'reset': 4,
    'client|kill': 8,
    'monitor': 1,
    **dict.fromkeys(('subscribe', 'psubscribe', 'ssubscribe', 'readonly', 'readwrite', 'asking'), 4),
}
USUAL_WEIGHT = 16


class Call:
    """The words of one call while they are being made."""

    __slots__ = ('count', 'rand', 'words')

    def __init__(self, rand: Callable[[], float], words: list[bytes]) -> None:
        self.rand = rand
        self.words = words
        self.count = 0  # how often the last argument that may be repeated was; 0 before the first


Maker = Callable[[Call], None]


def leaf(words: Sequence[bytes]) -> Maker:
    size = len(words)

    def make(call: Call) -> None:
        call.words.append(words[int(call.rand() * size)])

    return make


def token(word: bytes) -> Maker:
    return lambda call: call.words.append(word)


def sequence(makers: Sequence[Maker]) -> Maker:
    if len(makers) == 1:
        return makers[0]

    def make(call: Call) -> None:
        for each in makers:
            each(call)

    return make


def one_of(makers: Sequence[Maker]) -> Maker:
    size = len(makers)

    def make(call: Call) -> None:
        makers[int(call.rand() * size)](call)

    return make


def optional(maker: Maker) -> Maker:
    def make(call: Call) -> None:
        if call.rand() < OPTIONAL_SHARE:
            maker(call)

    return make


def draw_count(call: Call) -> int:
    """How often to repeat an argument: most often as many times as the one before in the same call."""
    rand = call.rand
    if not call.count or rand() >= SAME_COUNT_SHARE:
        call.count = MANY if rand() < MANY_SHARE else REPETITIONS[int(rand() * len(REPETITIONS))]
    return call.count


def repeated(maker: Maker) -> Maker:
    def make(call: Call) -> None:
        for _ in range(draw_count(call)):
            maker(call)

    return make


def number_of(call: Call) -> None:
    """The number of the keys, or fields, that follow."""
    call.words.append(b'%d' % draw_count(call))


def maker_of(argument: Argument, command: str, group: str) -> Maker:
    shown = argument.display_text or argument.name
    if argument.type == 'oneof':
        maker = one_of([maker_of(each, command, group) for each in argument.arguments])
    elif argument.type == 'block':
        maker = sequence([maker_of(each, command, group) for each in argument.arguments])
    elif argument.type == 'pure-token':
        assert argument.token is not None
        maker = token(argument.token.encode())
    elif shown in ('numkeys', 'numfields'):
        maker = number_of
    else:
        maker = leaf(words_for(shown, command, group, argument.type))
    if argument.token is not None and argument.type != 'pure-token':
        prefix = token(argument.token.encode())
        if argument.multiple and not argument.multiple_token:
            maker = sequence([prefix, repeated(maker)])
        else:
            maker = sequence([prefix, maker])
            maker = repeated(maker) if argument.multiple else maker
    elif argument.multiple:
        maker = repeated(maker)
    return optional(maker) if argument.optional else maker


def config_set(call: Call) -> None:
    """CONFIG SET of harmless parameters alone."""
    names = list(PARAMETERS)
    for _ in range(1 if call.rand() < 0.8 else 2):
        name = names[int(call.rand() * len(names))]
        values = PARAMETERS[name] if call.rand() < 0.9 else HOSTILE
        call.words += (name, values[int(call.rand() * len(values))])


def few_keys(call: Call) -> None:
    """DEBUG POPULATE of few keys, for a larger number takes as long as it says."""
    call.words.append(b'%d' % int(call.rand() * 40))
    if call.rand() < 0.5:
        call.words += (b'key', b'%d' % int(call.rand() * 200))


def another_call(call: Call) -> None:
    """COMMAND GETKEYS of a call that may well have keys."""
    call.words += USUAL[int(call.rand() * len(USUAL))](call.rand)


OWN_MAKERS: dict[str, Maker] = {
    'command|getkeys': another_call,
    'command|getkeysandflags': another_call,
    'config|set': config_set,
    'debug|populate': few_keys,
}


class CallMaker:
    """Makes calls of one command or subcommand."""

    def __init__(self, name: str, syntax: str, group: str, key_specs: int, command: Command | None = None) -> None:
        self.name = name
        self.head = syntax_head(name)
        types = command.types if command is not None else {}
        arguments = parse_syntax(' '.join(self.head), syntax, key_specs, types)
        own = OWN_MAKERS.get(name)
        self.flawless = own is not None  # what its words are must not be left to chance
        self.make = own or sequence([maker_of(argument, name, group) for argument in arguments])
        self.first_words = [word.encode() for word in self.head]

    def __call__(self, rand: Callable[[], float]) -> list[bytes]:
        words = self.first_words.copy()
        self.make(Call(rand, words))
        if rand() < FLAWED_SHARE and not self.flawless:
            self.spoil(rand, words)
        return words

    def spoil(self, rand: Callable[[], float], words: list[bytes]) -> None:
        """Leave a word out, add one, or replace one; the command's name stays."""
        drawn = rand()
        begin = len(self.first_words)
        place = begin + int(rand() * (len(words) - begin))
        hostile = HOSTILE[int(rand() * len(HOSTILE))]
        if drawn < 0.35 or place == len(words):
            words.insert(place, hostile)
        elif drawn < 0.65:
            del words[place]
        elif drawn < 0.9:
            words[place] = hostile
        else:
            words[0] = words[0].lower()


def syntax_head(name: str) -> list[str]:
    return name.upper().split('|')


def call_makers() -> tuple[list[CallMaker], list[CallMaker]]:
    """All commands, those that are to be called often as many times as they weigh; and those for rare calls."""
    usual: list[CallMaker] = []
    rare: list[CallMaker] = []
    declared = [each for entry in all_commands() for each in (entry.subcommands.values() or (entry,))]
    for command in declared:
        if command.name in LEFT_OUT or command.name == 'debug':
            continue
        syntax = docstring_parts(command.handler.__doc__ or '').syntax
        maker = CallMaker(command.name, syntax, command.group, len(command.keys), command)
        if command.name in RARE or command.name.endswith('|help'):
            rare.append(maker)
        else:
            usual += [maker] * (WEIGHTS.get(command.name) or WEIGHTS.get(command.group, USUAL_WEIGHT))
    for name, (_, handler) in SUBCOMMANDS.items():
        full_name = f'debug|{name.decode().lower()}'
        if full_name not in LEFT_OUT:
            rare.append(CallMaker(full_name, docstring_parts(handler.__doc__ or '').syntax, 'server', 1))
    return usual, rare


USUAL, RARE_CALLS = call_makers()
RARE_SHARE = 0.01


def random_call(random: Random) -> list[bytes]:
    rand = random.random
    makers = RARE_CALLS if rand() < RARE_SHARE else USUAL
    return makers[int(rand() * len(makers))](rand)
