"""README and docs: what they show works, and what they point to is there."""

import re
import shlex
from pathlib import Path

import click
import pytest
from video_factory import write_grey_video

from minet_cli.main import cli
from minet_core.datasets.toy.generator import make_toy

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "weights/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def python_blocks() -> list[tuple[str, str]]:
    """Pages whose examples need a video alone; tests of results run those of other pages."""
    pages = (ROOT / "README.md", ROOT / "docs/python.md")
    return [
        (name_of(page), code)
        for page in pages
        for code in re.findall(r"```python\n(.*?)```", text_of(page), re.DOTALL)
    ]


def test_each_page_has_its_examples():
    assert [page for page, _ in python_blocks()] == ["README.md"] + ["docs/python.md"] * 5


@pytest.mark.parametrize("number", range(5))
def test_python_examples_run(number, tmp_path, monkeypatch):
    """With the bundled model, on a video of three grey frames."""
    write_grey_video(tmp_path / "street.mp4", 3)
    monkeypatch.chdir(tmp_path)
    exec(python_blocks()[number][1], {})


def test_example_that_trains_and_evaluates_runs(tmp_path, monkeypatch):
    """On a toy of one small video, in one step."""
    make_toy(tmp_path / "toy", train=1, val=1, frames=3, size=96, objects=(1, 2))
    monkeypatch.chdir(tmp_path)
    exec(python_blocks()[5][1].replace("steps=2000", "steps=1, batch=1"), {})
    assert (tmp_path / "minet-eval/metrics.json").exists()


def commands(text: str) -> list[str]:
    """Lines of a page's code, indented or fenced, that call minet."""
    code = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    code += [line for block in FENCE.findall(text) for line in block.splitlines()]
    return [line for line in code if re.match(r"minet [a-z]+ ", line)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_options_of_shown_commands_exist(page):
    for line in commands(text_of(page)):
        _, name, *arguments = shlex.split(line, comments=True)
        command = cli.get_command(click.Context(cli), name)
        context = click.Context(command, info_name=name)
        command.make_parser(context).parse_args([part for part in arguments if part != "..."])


def test_commands_are_found_on_the_pages():
    assert sum(len(commands(text_of(page))) for page in PAGES) > 40


def anchors(text: str) -> set[str]:
    """Those of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    words = (re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", word).replace(" ", "-") for word in words}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    text = FENCE.sub("", text_of(page))
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", text):
        target, _, anchor = (link[0] or link[1]).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        path = page.parent / target if target else page
        if not path.exists() or (anchor and anchor not in anchors(text_of(path))):
            broken.append(link)
    assert broken == []


def test_readme_is_short():
    assert len(text_of(ROOT / "README.md").splitlines()) <= 120


def test_the_moving_picture_loads_quickly():
    assert (ROOT / "docs/images/demo.gif").stat().st_size < 3_000_000


def test_every_page_can_be_reached():
    """By links, from the README."""
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        links = re.findall(r"\]\(([^)\s#]+\.md)", text_of(page))
        waiting += [page.parent / link for link in links]
    assert [name_of(page) for page in PAGES if page.resolve() not in seen] == []


def test_packages_are_named_plainly():
    """`minet` on the package index is another program: nobody may be told to install it."""
    sources = [*(ROOT / "minet_core").rglob("*.py"), *(ROOT / "minet_cli").rglob("*.py"), *PAGES]
    wrong = re.compile(r"pip install [^\n`]*\bminet(?!-video)\b|\bminet(-video)?\[")
    assert [name_of(path) for path in sources if wrong.search(text_of(path))] == []
