"""What a handler's docstring tells: a syntax line, of which COMMAND DOCS' argument tree is made, and prose.

The notation is that of redis.io and of redis-cli's HELP:

    TOKEN              a word without small letters stands for itself
    name               an argument; its type follows from its name
    [x]                x may be left out
    [a | b]  <a | b>   one of several, optional or required
    x [x ...]          x once or more; `key value [key value ...]` repeats both, `PREFIX p [PREFIX p ...]` its token too
    <long> [...]       the same without writing it twice

A token owns the required arguments after it: `[LIMIT offset count]` is one argument of two parts, `[COUNT count [ANY]]`
is a count and a flag.
"""

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

BRACKETS = {'[': ']', '<': '>'}
WORD = re.compile(r'[][<>|]|[^][<>|\s]+')

# Arguments with other names are of type string, as is a key of a command that has no key specs.
TYPES = {
    **dict.fromkeys(('key', 'key1', 'key2', 'newkey', 'source', 'destination'), 'key'),
    **dict.fromkeys(('count', 'len', 'min-match-len', 'num-matches', 'offset', 'rank'), 'integer'),
    **dict.fromkeys(('numkeys', 'numlocal', 'numreplicas'), 'integer'),
    **dict.fromkeys(('index', 'index1', 'index2', 'start', 'stop', 'end', 'increment', 'decrement'), 'integer'),
    **dict.fromkeys(('client-id', 'cursor', 'db', 'destination-db', 'protover', 'version'), 'integer'),
    **dict.fromkeys(('seconds', 'milliseconds'), 'integer'),
    **dict.fromkeys(('unix-time-seconds', 'unix-time-milliseconds'), 'unix-time'),
    'pattern': 'pattern',
    'timeout': 'double',
}

# What Redis calls groups of arguments, by what is in them (see Argument), where a command does not say otherwise.
GROUP_NAMES = {
    **dict.fromkeys(('nx-xx', 'nx-xx-gt-lt'), 'condition'),
    **dict.fromkeys(('left-right', 'before-after', 'min-max'), 'where'),
    'asc-desc': 'order',
    'async-sync': 'flush-type',
    'key-value': 'data',
    'on-off': 'enabled',
    'parameter-value': 'data',
    'seconds-etc': 'expiration',
}


class Note(NamedTuple):
    """What a syntax line does not tell of an argument.

    `names`: what Redis calls it, for each time that it occurs; the last one for all further times. `key_spec`: the
    key spec that a pattern belongs to.
    """

    names: tuple[str, ...] = ()
    since: str = ''
    deprecated: str = ''
    key_spec: int | None = None


def about(*names: str, since: str = '', deprecated: str = '', key_spec: int | None = None) -> Note:
    """A note on an argument, under its token or, if it has none, its name."""
    return Note(names, since, deprecated, key_spec)


class Documentation(NamedTuple):
    """The parts of a handler's docstring, each joined to one line; '' for a part that is not there."""

    syntax: str
    summary: str
    complexity: str


class Argument(NamedTuple):
    """A node of the argument tree, under the names of COMMAND DOCS.

    An argument that takes a value has the name that the syntax line shows, and so has a token by itself. Alternatives
    ('oneof') and sequences ('block') are called after their token, or else after what is in them, 'nx-xx', unless Redis
    has a name for it.
    """

    name: str
    type: str
    token: str | None = None
    key_spec_index: int | None = None
    optional: bool = False
    multiple: bool = False
    multiple_token: bool = False
    arguments: tuple['Argument', ...] = ()
    display_text: str = ''  # what the line shows, where the name is another
    since: str = ''
    deprecated_since: str = ''

    @property
    def flags(self) -> list[str]:
        """The flags that are set, in Redis's order."""
        return [flag for flag in ('optional', 'multiple', 'multiple_token') if getattr(self, flag)]


class Group(NamedTuple):
    """The words between a bracket and its counterpart."""

    bracket: str
    words: list['Word']


Word = str | Group


class Part(NamedTuple):
    """A word with what it was read as: None for a token, whose meaning depends on what follows."""

    word: Word
    argument: Argument | None


def docstring_parts(docstring: str) -> Documentation:
    """Take a handler's docstring apart: syntax line, summary, any further paragraphs, and last the complexity.

    Paragraphs end at an empty line. The last one is the complexity if it begins with `O(` or `Depends on`.
    """
    syntax, *prose = (' '.join(paragraph.split()) for paragraph in re.split(r'\n\s*\n', docstring.strip()))
    complexity = prose.pop() if prose and prose[-1].startswith(('O(', 'Depends on')) else ''
    return Documentation(syntax, prose[0] if prose else '', complexity)


def parse_syntax(
    name: str,
    syntax: str,
    key_specs: int,
    types: Mapping[str, str] | None = None,
    notes: Mapping[str, Note] | None = None,
) -> list[Argument]:
    """Read the arguments of the command `name` from its syntax line.

    The first argument of type key belongs to the first of the command's `key_specs` key specs, the second to the
    second, and all that are left to the last. `types` overrides, by argument name, the types that TYPES would give;
    `notes` tells the rest, by token or name.
    Raises ValueError for a line that is not about this command or not well formed, and for a note on nothing.
    """
    if syntax != name and not syntax.startswith(name + ' '):
        raise ValueError(f'not the syntax of {name}: {syntax!r}')
    try:
        words = nested(iter(WORD.findall(syntax[len(name) :])))
        read = Reader(key_specs, types or {}).sequence(words)
        return Annotator(notes or {}).annotated(read)
    except ValueError as error:
        raise ValueError(f'{error}: {syntax!r}') from None


def nested(words: Iterator[str], closing: str = '') -> list[Word]:
    """Read words up to the closing bracket, those between further brackets as groups."""
    inside: list[Word] = []
    for word in words:
        if word == closing:
            return inside
        if word in BRACKETS:
            inside.append(Group(word, nested(words, BRACKETS[word])))
        elif word in BRACKETS.values():
            raise ValueError(f'{word!r} without its counterpart')
        else:
            inside.append(word)
    if closing:
        raise ValueError(f'no {closing!r}')
    return inside


class Reader:
    """Makes arguments of words, counting the keys as it meets them."""

    def __init__(self, key_specs: int, types: Mapping[str, str]) -> None:
        self.key_specs = key_specs
        self.types = types
        self.keys = 0

    def sequence(self, words: list[Word]) -> list[Argument]:
        """Read what stands side by side."""
        parts: list[Part] = []
        for word in words:
            if isinstance(word, Group) and word.bracket == '[' and word.words[-1:] == ['...']:
                repeat(parts, word)
            elif isinstance(word, Group):
                parts.append(Part(word, self.group(word)))
            elif word in ('|', '...'):
                raise ValueError(f'misplaced {word!r}')
            else:
                parts.append(Part(word, self.leaf(word) if word != word.upper() else None))
        return bind_tokens(parts)

    def group(self, group: Group) -> Argument:
        alternatives: list[list[Word]] = [[]]
        for word in group.words:
            if word == '|':
                alternatives.append([])
            else:
                alternatives[-1].append(word)
        read = tuple(one_argument(self.sequence(words)) for words in alternatives)
        argument = read[0] if len(read) == 1 else Argument(joined_name(read), 'oneof', arguments=read)
        return argument._replace(optional=True) if group.bracket == '[' else argument

    def leaf(self, name: str) -> Argument:
        kind = self.types.get(name) or TYPES.get(name, 'string')
        if kind != 'key':
            return Argument(name, kind)
        if not self.key_specs:
            return Argument(name, 'string')
        self.keys += 1
        return Argument(name, 'key', key_spec_index=min(self.keys, self.key_specs) - 1)


def repeat(parts: list[Part], repetition: Group) -> None:
    """Make the last of the parts one that may be given several times: those that `[x ...]` names, or the one before."""
    words = repetition.words[:-1]
    repeated = parts[-len(words) :] if words else parts[-1:]
    if not repeated or (words and words != [part.word for part in repeated]):
        raise ValueError("'[... ...]' does not repeat what stands before it")
    argument = one_argument(bind_tokens(repeated))._replace(multiple=True, multiple_token=repeated[0].argument is None)
    parts[-len(repeated) :] = [Part(repetition, argument)]


def bind_tokens(parts: list[Part]) -> list[Argument]:
    """Give each token the required arguments that follow it; a token that none follow is an argument by itself."""
    bound: list[Argument] = []
    rest = deque(parts)
    while rest:
        word, argument = rest.popleft()
        if argument is None:
            token = str(word)
            owned: list[Argument] = []
            while rest and (follower := rest[0].argument) and not follower.optional and not follower.token:
                owned.append(follower)
                rest.popleft()
            argument = with_token(token, owned)
        bound.append(argument)
    return bound


def with_token(token: str, owned: list[Argument]) -> Argument:
    name = token.lower()
    if not owned:
        return Argument(name, 'pure-token', token)
    argument = one_argument(owned)
    return argument._replace(name=name if argument.arguments else argument.name, token=token)


def one_argument(arguments: list[Argument]) -> Argument:
    """Make a block of several arguments that only make sense together."""
    if not arguments:
        raise ValueError('nothing between brackets or bars')
    if len(arguments) == 1:
        return arguments[0]
    return Argument(joined_name(arguments), 'block', arguments=tuple(arguments))


def joined_name(arguments: list[Argument] | tuple[Argument, ...]) -> str:
    """What a group is called for what is in it: 'nx-xx', or 'seconds-etc' if that is much."""
    if len(arguments) > 4:
        return f'{arguments[0].name}-etc'
    return '-'.join(argument.name for argument in arguments)


class Annotator:
    """Adds to arguments what their command notes of them, counting how often each has occurred."""

    def __init__(self, notes: Mapping[str, Note]) -> None:
        self.notes = notes
        self.seen: Counter[str] = Counter()

    def annotated(self, arguments: Iterable[Argument]) -> list[Argument]:
        """Raises ValueError if there is a note on none of these."""
        told = [self.tell(argument) for argument in arguments]
        unused = self.notes.keys() - self.seen.keys()
        if unused:
            raise ValueError(f'notes on what is not there, {sorted(unused)}')
        return told

    def tell(self, argument: Argument) -> Argument:
        word = argument.token if argument.token and argument.token in self.notes else argument.name
        note = self.notes.get(word, Note())
        self.seen[word] += 1
        names = note.names or (GROUP_NAMES.get(argument.name, argument.name),)
        name = names[min(self.seen[word], len(names)) - 1]
        renamed = name != argument.name and argument.type not in ('oneof', 'block', 'pure-token')
        return argument._replace(
            name=name,
            display_text=argument.name if renamed else '',
            key_spec_index=argument.key_spec_index if note.key_spec is None else note.key_spec,
            since=note.since,
            deprecated_since=note.deprecated,
            arguments=tuple(map(self.tell, argument.arguments)),
        )
