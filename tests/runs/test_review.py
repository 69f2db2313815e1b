"""`minet review`: what the server gives and takes, and that the page saves through it."""

import json
from pathlib import Path

import numpy as np
import pytest
from browser import Tab
from edits_data import edits, facts_in, result_of
from served_page import ask, serve
from video_factory import write_video

from minet_cli.main import run
from minet_core.formats.edits import read_edits, write_edits


@pytest.fixture
def started(tmp_path):
    running = []

    def start(folder: Path = tmp_path):
        server, thread, lines = serve(folder)
        running.append((server, thread))
        return server, lines

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def result(tmp_path):
    path = result_of(tmp_path)
    write_video(tmp_path / "street.mp4", [np.full((36, 64, 3), 90, np.uint8)] * 12)
    point_to(path, tmp_path / "street.mp4")
    return path


def point_to(result: Path, video: Path) -> None:
    document = json.loads(result.read_text())
    document["video"]["path"] = str(video)
    result.write_text(json.dumps(document))


def test_page_is_given_to_who_knows_the_address(result, started):  # noqa: ARG001
    server, _ = started()
    status, content, answer = ask(server, f"/{server.token}/")
    assert (status, answer.getheader("Cache-Control")) == (200, "no-store")
    assert b"connect-src 'self'" in content
    assert len(server.token) > 20
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/wrong/", {}),
        ("/{token}", {}),
        ("/{token}/result.json", {}),
        ("/{token}/..%2fresult.json", {}),
        ("/{token}/../result.json", {}),
        ("/{token}/", {"Host": "evil.example"}),
        ("/{token}/", {"Origin": "http://evil.example"}),
        ("/{token}/", {"Origin": "null"}),
    ],
)
def test_nothing_else_is_given(result, started, path, headers):  # noqa: ARG001
    server, _ = started()
    assert ask(server, path.format(token=server.token), **headers)[0] == 404


def test_parts_of_the_video_are_given(result, started):
    server, _ = started()
    whole = (result.parent / "street.mp4").read_bytes()
    path = f"/{server.token}/source"
    assert ask(server, path)[:2] == (200, whole)
    status, content, answer = ask(server, path, Range="bytes=10-19")
    assert (status, content) == (206, whole[10:20])
    assert answer.getheader("Content-Range") == f"bytes 10-19/{len(whole)}"
    assert ask(server, path, Range="bytes=10-")[1] == whole[10:]
    assert ask(server, path, Range=f"bytes={len(whole)}-")[0] == 416


def text_of(result: Path, folder: Path, *entries) -> str:
    write_edits(folder / "sent.json", facts_in(result), edits(*entries))
    return (folder / "sent.json").read_text()


def test_edits_are_written_beside_the_result(result, tmp_path, started):
    server, _ = started()
    text = text_of(result, tmp_path, {"do": "delete", "tracks": [1]})
    assert ask(server, f"/{server.token}/edits.json", "PUT", text)[0] == 204
    assert (tmp_path / "edits.json").read_text() == text
    other = text.replace('"tracks": 4', '"tracks": 5')
    for body, words in [(other, b"edits of another result"), ("{}", b"no edits"), ("", b"JSON")]:
        status, content, _ = ask(server, f"/{server.token}/edits.json", "PUT", body)
        assert status == 400
        assert words in content
    assert ask(server, f"/{server.token}/result.json", "PUT", text)[0] == 404
    assert ask(server, "/wrong/edits.json", "PUT", text)[0] == 404
    assert (tmp_path / "edits.json").read_text() == text


def test_edits_of_another_result_beside_it_are_left_alone(result, tmp_path, capsys):
    other = text_of(result, tmp_path).replace('"tracks": 4', '"tracks": 5')
    (tmp_path / "edits.json").write_text(other)
    assert run(["review", str(tmp_path), "--no-browser"]) == 2
    assert "edits of another result: it had tracks: 5, and this one 4" in capsys.readouterr().err
    assert (tmp_path / "edits.json").read_text() == other


def test_what_is_no_result_is_one_line(tmp_path, capsys):
    assert run(["review", str(tmp_path), "--no-browser"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.fixture
def tab(browser):
    context = browser.new_context(viewport={"width": 1000, "height": 640}, bypass_csp=True)
    tab = Tab(context.new_page())
    yield tab
    context.close()


def opened(tab, server):
    tab.page.goto(server.url)
    return tab.settle()


def saved(tab, path: Path) -> list[str]:
    tab.page.evaluate("viewer.editor.history.saving")
    return [edit.do for edit in read_edits(path).edits]


def test_page_saves_at_once_and_goes_on_from_what_was_saved(result, tmp_path, started, tab):  # noqa: ARG001
    server, _ = started()
    opened(tab, server).page.click("#row-2")
    tab.press("o", "Delete")
    assert saved(tab, tmp_path / "edits.json") == ["occluded", "delete"]
    tab.press("u")
    assert saved(tab, tmp_path / "edits.json") == ["occluded"]
    again, _ = started()
    opened(tab, again)
    assert tab.get("viewer.editor.history.edits.map((edit) => edit.do)") == ["occluded"]
    assert tab.complaints == []


def test_video_that_browsers_cannot_play_is_played_from_a_copy(result, tmp_path, started, tab):
    source = tmp_path / "street.avi"
    write_video(source, [np.full((36, 64, 3), 90, np.uint8)] * 12, codec="mpeg4")
    point_to(result, source)
    server, lines = started()
    opened(tab, server)
    tab.wait("viewer.player.media === viewer.player.video && viewer.player.ready")
    assert tab.get("viewer.player.video.currentSrc").endswith("/proxy.mp4")
    assert lines == ["making a copy of street.avi that browsers play"]
