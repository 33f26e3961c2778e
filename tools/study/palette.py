"""Colours of the page, light and dark, and the one colour and shape that each contestant keeps through it."""

from tools.study.results import Contestant

# Light, dark. Contestants' hues are near Okabe and Ito's, at lightnesses that keep them apart for colour-blind readers,
# too (10 and more in CIE Lab under Machado's simulations) and at 3:1 or more from the background. Shapes tell the same.
COLOURS = {
    'ink': ('#1c1f23', '#e4e6e9'),
    'muted': ('#5b626b', '#a3abb5'),
    'line': ('#d3d7dc', '#3a4048'),
    'stripe': ('#f1f3f5', '#20242a'),
    'paper': ('#ffffff', '#16191d'),
    'selectors': ('#0068a8', '#56b4e9'),
    'asyncio': ('#b03000', '#ff7a33'),
    'asyncio-now': ('#a8437f', '#e29cc6'),
    'streams': ('#007a5c', '#22b98b'),
    'uvloop': ('#b08c00', '#f0e05a'),
    'redis-server': ('#3d4248', '#d5d9de'),
    'fakeredis': ('#8f959e', '#7d848e'),
    'other': ('#7a4a2a', '#b98d6a'),
}

MARKERS = {
    'selectors': 'o',
    'asyncio': 's',
    'asyncio-now': 'D',
    'streams': '^',
    'uvloop': 'v',
    'redis-server': '<',
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
