r"""Transcripts: what clients say and what a server answers, as text. tests/README.md tells how to write one.

    # a comment
    > LPUSH q a                   client 1 sends a command, words quoted as in redis-cli
    (integer) 1                   what client 1 has received by the time it is done
    2> BLPOP other 0              client 2 sends one; nothing below it: no reply, it waits
    >> "PING\r\nECHO hi\r\n"      client 1 sends these bytes as they are
    PONG
    "hi"
    > LPUSH other x
    (integer) 1
    2< 1) "other"                 what another client received by then
       2) "x"
    2> QUIT
    OK
    (closed)                      the server closed the connection

A line that starts with @ is a directive: `@ resp3` stands between the replies of RESP2 and those of RESP3, where these
differ; the others stand above the command that they are about, or, `@ protocol`, at the top of the file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from tests.harness.wire import Reply, encode_command, render, split_words, without_order

DIRECTORY = Path(__file__).resolve().parent.parent / 'transcripts'

Protocol: TypeAlias = Literal[2, 3]
Observed: TypeAlias = dict[int, list[Reply]]  # by client; a connection that the server closed ends with CLOSED
Received: TypeAlias = dict[int, list[str]]  # the same as lines of text

CLOSED = Reply('+', b'(closed)')

SAID = re.compile(r'(?P<client>\d*)(?P<kind>>>?) (?P<words>.*)')
DELIVERED = re.compile(r'(?P<mark>(?P<client>\d+)< )(?P<text>.*)')
DIRECTIVE = re.compile(r'@ (?P<name>[a-z0-9-]+)(?: (?P<argument>.*))?')

# Under these the replies are written by hand, and left alone when the transcript is recorded.
BY_HAND = {'reference-differs', 'since', 'like'}
ABOUT_A_COMMAND = BY_HAND | {'unordered', 'silent'}
WITH_ARGUMENT = {'reference-differs', 'since', 'protocol'}


class TranscriptError(Exception):
    """A transcript that cannot be read; str() names file and line."""


@dataclass
class Step:
    """One thing said and what came of it."""

    said: str  # its line, as written
    line_number: int
    client: int
    words: list[bytes]
    raw: bool  # the words are sent as they are, not as a command
    above: list[str]  # comments, blank lines and directives, as written
    directives: set[str]
    block: list[str] = field(default_factory=list)  # the lines of its replies, as written
    block_resp3: list[str] | None = None  # where they differ

    def sent(self, ids: dict[int, bytes]) -> bytes:
        """The bytes to send, `{id2}` in them replaced by the id that the server gave to client 2."""
        words = self.words
        for number, id_ in ids.items():
            words = [word.replace(b'{id%d}' % number, id_) for word in words]
        return b''.join(words) if self.raw else encode_command(*words)

    def expected(self, protocol: Protocol) -> Received:
        if protocol == 2:
            return parse_block(self.block, self.client)
        if self.block_resp3 is None:
            return as_resp3(parse_block(self.block, self.client))
        return parse_block(self.block_resp3, self.client)

    @property
    def by_hand(self) -> bool:
        return bool(BY_HAND & self.directives)


@dataclass
class Transcript:
    path: Path
    protocols: tuple[Protocol, ...]
    steps: list[Step] = field(repr=False)
    below: list[str] = field(repr=False)  # what stands under the last step

    def parameters_set(self) -> list[str]:
        """The names in its CONFIG SETs: what has to be set back."""
        names: set[str] = set()
        for step in self.steps:
            if [word.upper() for word in step.words[:2]] == [b'CONFIG', b'SET']:
                names.update(word.decode().lower() for word in step.words[2::2])
        return sorted(names)


# --- the file ---------------------------------------------------------------------------------------------------------


def path_of(name: str) -> Path:
    """`lists/lpush`, or a path that ends like this, is tests/transcripts/lists/lpush.txt."""
    group, _, file = name.removesuffix('.txt').rpartition('/')
    return DIRECTORY / group.rpartition('/')[2] / f'{file}.txt'


def name_of(path: Path) -> str:
    return path.relative_to(DIRECTORY).with_suffix('').as_posix()


def all_paths() -> list[Path]:
    return sorted(DIRECTORY.rglob('*.txt'))


def read(path: Path) -> Transcript:
    """Read a transcript. Raises TranscriptError."""
    transcript = Transcript(path, (2, 3), [], [])
    above: list[str] = []
    directives: set[str] = set()
    replies: list[str] | None = None  # where a reply's lines go, None where there can be none
    for number, line in enumerate(path.read_text(encoding='utf-8').removesuffix('\n').split('\n'), 1):
        try:
            said = SAID.fullmatch(line)
            directive = DIRECTIVE.fullmatch(line)
            if said:
                step = make_step(said, number, above, directives)
                transcript.steps.append(step)
                above, directives, replies = [], set(), step.block
            elif directive and directive['name'] == 'resp3':
                if replies is None or transcript.steps[-1].block_resp3 is not None:
                    raise ValueError('@ resp3 stands below a reply')
                replies = transcript.steps[-1].block_resp3 = []
            elif directive or not line or line.startswith('#'):
                if directive:
                    read_directive(transcript, directives, directive['name'], directive['argument'] or '')
                above.append(line)
                replies = None
            elif replies is None:
                raise ValueError('a reply without a command above it')
            else:
                replies.append(line)
        except ValueError as error:
            raise TranscriptError(f'{name_of(path)}.txt:{number}: {error}') from error
    if directives:
        raise TranscriptError(f'{name_of(path)}.txt: ends with a directive that is about nothing')
    transcript.below = above
    return transcript


def make_step(said: re.Match[str], number: int, above: list[str], directives: set[str]) -> Step:
    client = int(said['client'] or '1')
    return Step(said[0], number, client, split_words(said['words']), said['kind'] == '>>', above, directives)


def read_directive(transcript: Transcript, directives: set[str], name: str, argument: str) -> None:
    if (name in WITH_ARGUMENT) != bool(argument):
        raise ValueError(f'@ {name} takes {"an" if name in WITH_ARGUMENT else "no"} argument')
    if name == 'protocol' and not transcript.steps and argument in ('2', '3'):
        transcript.protocols = (2,) if argument == '2' else (3,)
    elif name in ABOUT_A_COMMAND:
        directives.add(name)
    else:
        raise ValueError(f'@ {name} is not known here')


def parse_block(block: list[str], speaker: int) -> Received:
    """The lines by client: the speaker's own come first, those of others are marked `2< ` or go on indented."""
    received: Received = {}
    client, mark = speaker, ''
    for line in block:
        delivered = DELIVERED.fullmatch(line)
        if delivered:
            client, mark = int(delivered['client']), delivered['mark']
            received.setdefault(client, []).append(delivered['text'])
        else:
            received.setdefault(client, []).append(line.removeprefix(' ' * len(mark)))
    return received


def format_block(replies: Observed, speaker: int) -> list[str]:
    """The lines that parse_block reads."""
    lines: list[str] = []
    for client in sorted(replies, key=lambda client: (client != speaker, client)):
        mark = '' if client == speaker else f'{client}< '
        for reply in replies[client]:
            first, *more = render(reply).split('\n')
            lines += [mark + first, *(' ' * len(mark) + line for line in more)]
    return lines


def write(transcript: Transcript) -> str:
    def lines() -> Iterator[str]:
        for step in transcript.steps:
            yield from (*step.above, step.said, *step.block)
            if step.block_resp3 is not None:
                yield from ('@ resp3', *step.block_resp3)
        yield from transcript.below

    return '\n'.join(lines()) + '\n'


# --- comparing --------------------------------------------------------------------------------------------------------


def as_resp3(received: Received) -> Received:
    """The same replies in RESP3, where nothing but a null differs: it has one, RESP2 two."""
    return {client: [line.replace('(nil array)', '(nil)') for line in lines] for client, lines in received.items()}


def ordered(step: Step, observed: Observed) -> Observed:
    """What was received, sorted where its order is free; a client that received nothing is left out."""
    if 'unordered' in step.directives:
        return {client: [without_order(reply) for reply in replies] for client, replies in observed.items() if replies}
    return {client: replies for client, replies in observed.items() if replies}


def as_text(observed: Observed, protocol: Protocol) -> Received:
    received: Received = {}
    for client, replies in observed.items():
        lines = received.setdefault(client, [])
        for reply in replies:
            lines += render(reply).split('\n')
            if protocol == 3 and reply.is_misplaced():
                lines.append(f'(sent as {"a push" if reply.kind == ">" else "an array"})')
    return received


def matches(step: Step, expected: Received, received: Received) -> bool:
    if 'like' not in step.directives:
        return expected == received
    return expected.keys() == received.keys() and all(
        re.fullmatch(re.escape('\n'.join(lines)).replace(r'\*', '.*'), '\n'.join(received[client]), re.DOTALL)
        for client, lines in expected.items()
    )
