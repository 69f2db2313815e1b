"""What a person does on an edited page."""

from typing import Any

from browser import Tab


def done(tab: Tab) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tab.get("viewer.editor.history.edits")
    return found


def ids(tab: Tab) -> list[int]:
    found: list[int] = tab.get("viewer.data.tracks.map((track) => track.id)")
    return found


def choose(tab: Tab, *tracks: int) -> None:
    """The last one is chosen, the others are selected by Ctrl and a click in the list."""
    for track in tracks[:-1]:
        tab.page.click(f"#row-{track}", modifiers=["Control"])
    tab.page.click(f"#row-{tracks[-1]}")
    tab.settle()


def go(tab: Tab, frame: int) -> None:
    tab.get(f"(viewer.player.seek({frame}), null)")
    tab.settle()


def answer(tab: Tab, text: str) -> None:
    tab.page.fill("#ask-value", text)
    tab.page.keyboard.press("Enter")
    tab.settle()
