"""Colours of the page, light and dark, and the one colour and shape that each contestant keeps through it."""

from tools.study.results import Contestant

# Light, dark. Contestants' hues are Okabe and Ito's, which colour-blind readers can tell apart, at lightnesses that
# contrast with either background; shapes and labels tell the same.
COLOURS = {
    'ink': ('#1c1f23', '#e4e6e9'),
    'muted': ('#5b626b', '#a3abb5'),
    'line': ('#d3d7dc', '#3a4048'),
    'stripe': ('#f1f3f5', '#20242a'),
    'paper': ('#ffffff', '#16191d'),
    'selectors': ('#0068a8', '#56b4e9'),
    'asyncio': ('#cf5300', '#ff8a3d'),
    'asyncio-now': ('#b0548a', '#e29cc6'),
    'streams': ('#008463', '#2fc79a'),
    'uvloop': ('#927600', '#e6cf3a'),
    'redis-server': ('#4a4f56', '#c9ced4'),
    'fakeredis': ('#8a9099', '#868d97'),
    'other': ('#6b4fb3', '#b39ddb'),
}

MARKERS = {
    'selectors': 'o',
    'asyncio': 's',
    'asyncio-now': 'D',
    'streams': '^',
    'uvloop': 'v',
    'redis-server': 'P',
    'fakeredis': 'X',
    'other': '*',
}


def role_of(contestant: Contestant) -> str:
    """The name of its colour and shape."""
    return contestant.id if contestant.id in MARKERS else 'other'


def css_variables() -> str:
    """Every colour as a variable of its name, by the reader's colour scheme."""
    light, dark = (''.join(f'  --{role}: {pair[scheme]};\n' for role, pair in COLOURS.items()) for scheme in range(2))
    return f':root {{\n{light}}}\n@media (prefers-color-scheme: dark) {{\n:root {{\n{dark}}}\n}}\n'
