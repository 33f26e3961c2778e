"""Pieces of the real source, by name, and how much code there is. Read when a report is made, so it cannot go stale."""

import ast
import importlib.util
import io
import keyword
import tokenize
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
# Tokens that are no code of their own; a line that has no others counts as empty.
BLANK = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


class NoSuchSource(Exception):
    """The source has no definition of that name (any more)."""


@dataclass(frozen=True)
class Piece:
    """A function or class as it stands in the source."""

    file: str
    name: str
    line: int
    text: str


@cache
def module(file: str) -> tuple[str, ast.Module]:
    """A file's text and tree; the path is within the checkout, or `asyncio/events.py` of the standard library."""
    path = ROOT / file
    if not path.is_file():
        spec = importlib.util.find_spec(file.removesuffix('.py').replace('/', '.'))
        if spec is None or spec.origin is None:
            raise NoSuchSource(file)
        path = Path(spec.origin)
    text = path.read_text(encoding='utf-8')
    return text, ast.parse(text)


def find(place: str) -> Definition:
    """The definition at `file:Class.method`. Raises NoSuchSource."""
    file, _, names = place.partition(':')
    node: ast.Module | Definition = module(file)[1]
    for name in names.split('.'):
        inner = [child for child in node.body if isinstance(child, Definition) and child.name == name]
        if not inner:
            raise NoSuchSource(place)
        node = inner[0]
    assert isinstance(node, Definition)
    return node


def piece(place: str) -> Piece:
    """The text of a definition, moved to the left margin. Raises NoSuchSource."""
    node = find(place)
    file, _, name = place.partition(':')
    lines = module(file)[0].splitlines()
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    text = '\n'.join(line[node.col_offset :] for line in lines[first - 1 : node.end_lineno])
    return Piece(file, name, first, text)


@cache
def code_lines(place: str) -> int:
    """Lines of a file or of a definition that have code on them: no comments, no docstrings, no empty lines."""
    file, _, name = place.partition(':')
    text, tree = module(file)
    first, last = 1, len(text.splitlines())
    if name:
        node = find(place)
        first, last = node.lineno, node.end_lineno or node.lineno
    used: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in BLANK:
            used.update(range(token.start[0], token.end[0] + 1))
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Module | Definition) and ast.get_docstring(inner, clean=False) is not None:
            docstring = inner.body[0]
            used.difference_update(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
    return sum(first <= line <= last for line in used)


def slots(place: str) -> list[str]:
    """The names in a class's __slots__."""
    for node in find(place).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == '__slots__':
            value = ast.literal_eval(node.value)
            return [value] if isinstance(value, str) else list(value)
    raise NoSuchSource(f'{place}.__slots__')


def coloured(text: str) -> str:
    """Python as HTML: keywords in <b>, comments and docstrings in <i>; the rest only escaped."""
    lines = text.splitlines(keepends=True)
    parts: list[str] = []
    row, column = 1, 0

    def copy_to(end_row: int, end_column: int) -> str:
        nonlocal row, column
        taken = []
        while row < end_row:
            taken.append(lines[row - 1][column:])
            row, column = row + 1, 0
        if end_column > column and row <= len(lines):
            taken.append(lines[row - 1][column:end_column])
            column = end_column
        return escape(''.join(taken), quote=False)

    at_start = False
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        tag = ''
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and at_start):
            tag = 'i'
        elif token.type == tokenize.NAME and keyword.iskeyword(token.string):
            tag = 'b'
        if token.type in (tokenize.INDENT, tokenize.NEWLINE):
            at_start = True
        elif token.type not in (tokenize.NL, tokenize.COMMENT, tokenize.DEDENT):
            at_start = False
        if tag:
            parts.append(copy_to(*token.start))
            parts.append(f'<{tag}>{copy_to(*token.end)}</{tag}>')
    parts.append(copy_to(len(lines) + 1, 0))
    return ''.join(parts)
