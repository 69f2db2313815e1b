"""A Markdown extension that turns equations into MathML, which browsers show without a script.

It comes after `pymdownx.arithmatex`, which finds them. mkdocs.yml names it.
"""

import html
import re

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor

_EQUATION = re.compile(
    r'<(?P<tag>div|span) class="arithmatex">\\[\[(](?P<tex>.*?)\\[\])]</(?P=tag)>', re.DOTALL
)


class MathML(Postprocessor):  # type: ignore[misc]
    r"""Converts every \[ … \], on lines of its own, and \( … \), in a line."""

    def run(self, text: str) -> str:
        """The page's HTML with its equations converted."""
        return _EQUATION.sub(_mathml, text)


def _mathml(found: re.Match[str]) -> str:
    display = "block" if found["tag"] == "div" else "inline"
    equation: str = convert(html.unescape(found["tex"]).strip(), display=display)
    return equation


class MathMLExtension(Extension):  # type: ignore[misc]
    """What mkdocs.yml asks for."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Add the conversion, last of all."""
        md.postprocessors.register(MathML(md), "mathml", 0)


def makeExtension(**options: str) -> MathMLExtension:  # noqa: N802
    """The name that Markdown looks for."""
    return MathMLExtension(**options)
