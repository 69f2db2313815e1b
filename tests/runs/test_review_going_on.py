"""Going on from the review page: its button, its progress, and that a failure loses nothing."""

import json
from pathlib import Path

import pytest
from browser import Tab
from coloured_squares import colour_model, write_pictures
from served_page import ask, serve

from minet_cli.main import run
from minet_core.errors import InputError
from minet_core.formats import read_json
from minet_core.formats.edits import read_edits
from minet_core.models import zoo
from minet_core.runs.review.going_on_job import how_made


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A result that was made with all that is needed to go on from it."""
    monkeypatch.setattr(zoo, "load_model", lambda *_, **__: colour_model())
    pictures = write_pictures(tmp_path / "pictures")
    given = [
        "detect",
        str(pictures),
        "-o",
        str(tmp_path / "out"),
        "--no-video",
        "--quiet",
        "--keep",
    ]
    assert run(given) == 0
    return tmp_path / "out/pictures"


@pytest.fixture
def server(folder):
    server, thread, _ = serve(folder)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def tab(browser, server):
    context = browser.new_context(viewport={"width": 1000, "height": 700}, bypass_csp=True)
    tab = Tab(context.new_page())
    tab.page.goto(server.url)
    tab.settle()
    yield tab
    context.close()


def split_first_at(tab, frame: int) -> int:
    tab.page.click("#row-1")
    tab.get(f"(viewer.player.seek({frame}), null)")
    tab.settle()
    tab.press("s")
    return int(tab.get("viewer.editor.history.edits[0].new"))


def test_button_finds_tracks_again_and_shows_the_new_result(folder, tab):
    before = (folder / "result.json").read_bytes()
    new = split_first_at(tab, 12)
    tab.page.evaluate("window.isOld = true")
    tab.page.click("#go-on")
    tab.wait("!window.isOld && typeof viewer !== 'undefined'")  # the page is loaded again
    tab.settle()
    assert tab.get("viewer.editor.history.edits.length") == 0
    assert tab.get(f"viewer.data.byId.get({new}).first") == 12
    assert tab.get("viewer.data.byId.get(1).last") == 11
    assert (folder / "before-1/result.json").read_bytes() == before
    assert len(read_edits(folder / "before-1/edits.json").edits) == 1
    assert tab.complaints == []


def test_failure_is_told_and_nothing_is_lost(folder, tab, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no room")

    split_first_at(tab, 12)
    before = (folder / "result.json").read_bytes()
    monkeypatch.setattr(zoo, "load_model", refuse)
    tab.page.click("#go-on")
    tab.wait("document.getElementById('edit-said').textContent.includes('no room')")
    assert "nothing is lost" in tab.page.inner_text("#edit-said")
    assert tab.get("viewer.editor.history.edits.length") == 1
    assert (folder / "result.json").read_bytes() == before
    tab.press("u")  # the page goes on as before
    tab.page.evaluate("viewer.editor.history.saving")
    assert read_edits(folder / "edits.json").edits == ()


def test_nothing_mended_is_nothing_to_go_on_from(folder, tab):
    tab.page.click("#go-on")
    assert "Mend something first" in tab.page.inner_text("#edit-said")
    assert not (folder / "edits.json").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("minet.json", "records how the result was made"),
        ("edits.json", "no edits.json to continue from"),
    ],
)
def test_what_is_missing_is_told(folder, server, name, message):
    (folder / name).unlink(missing_ok=True)
    path = f"/{server.token}/going-on"
    assert ask(server, path, "POST")[0] == 200
    server.going.wait()
    told = json.loads(ask(server, path)[1])
    assert told["state"] == "failed"
    assert message in told["line"]


def test_a_strange_address_begins_nothing(server):
    assert ask(server, "/wrong/going-on", "POST")[0] == 404
    evil = {"Origin": "http://evil.example"}
    assert ask(server, f"/{server.token}/going-on", "POST", **evil)[0] == 404
    assert server.going.told.state == "idle"


def test_result_of_drawn_boxes_alone_is_not_gone_on_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(zoo, "load_model", lambda *_, **__: colour_model())
    write_pictures(Path("pictures"))
    Path("boxes.json").write_text('[{"x1": 4, "y1": 30, "x2": 24, "y2": 50}]')
    given = ["detect", "pictures", "-o", "out", "--no-video", "--quiet", "--prompts", "boxes.json"]
    assert run(given) == 0
    folder = Path("out/pictures")
    assert read_json(folder / "result.json").header["settings"]["prompts"] == "boxes.json"
    Path(folder / "edits.json").write_text("{}")
    with pytest.raises(InputError, match="made of drawn boxes alone"):
        how_made(folder / "result.json")
