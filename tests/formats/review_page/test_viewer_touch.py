"""The review page by fingers and by the wheel: zoom, carry along, drag."""

import pytest
from browser import Tab

Place = tuple[float, float]


@pytest.fixture(scope="module")
def context(browser):
    context = browser.new_context(
        viewport={"width": 1000, "height": 640}, bypass_csp=True, has_touch=True
    )
    yield context
    context.close()


def touch(tab: Tab, *ways: tuple[Place, Place], steps: int = 6) -> None:
    """Put a finger on the beginning of each way, move them to the ends together, and lift them."""
    session = tab.page.context.new_cdp_session(tab.page)

    def send(kind: str, share: float) -> None:
        points = [
            {"x": a[0] + share * (b[0] - a[0]), "y": a[1] + share * (b[1] - a[1]), "id": number}
            for number, (a, b) in enumerate(ways)
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", 0)
    for step in range(1, steps + 1):
        send("touchMove", step / steps)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    tab.settle()


def on_video(tab: Tab, x: float, y: float) -> Place:
    left, top, *_ = tab.place_of((x, y, x, y), (640, 360))
    return left, top


def on_bar(tab: Tab, track: int, frame: int) -> Place:
    box = tab.page.locator("#bars").bounding_box()
    at = tab.get(f"viewer.timeline.pointOf(viewer.data.byId.get({track}), {frame})")
    return box["x"] + at["x"], box["y"] + at["y"]


def scale(tab: Tab) -> float:
    return float(tab.get("viewer.overlay.scale"))


def test_two_fingers_enlarge_the_picture_and_one_carries_it_along(edited):
    middle = on_video(edited, 320, 180)
    left, right = (middle[0] - 40, middle[1]), (middle[0] + 40, middle[1])
    touch(edited, (left, (left[0] - 40, left[1])), (right, (right[0] + 40, right[1])))
    assert scale(edited) == pytest.approx(2, abs=0.1)
    before = edited.get("viewer.overlay.left")
    touch(edited, (middle, (middle[0] + 30, middle[1])))
    assert edited.get("viewer.overlay.left") == pytest.approx(before + 30, abs=5)
    assert edited.get("viewer.store.state.playing") is False
    edited.press("Shift+Z", "Shift+Z", "Shift+Z")
    assert scale(edited) == 1


def test_the_wheel_enlarges_what_is_under_it(edited):
    x, y = on_video(edited, 500, 90)
    edited.page.mouse.move(x, y)
    edited.page.keyboard.down("Control")
    for _ in range(3):
        edited.page.mouse.wheel(0, -60)
    edited.page.keyboard.up("Control")
    edited.settle()
    assert scale(edited) > 2
    stage = edited.page.locator("#stage").bounding_box()
    at = edited.get(f"viewer.overlay.pointAt({x - stage['x']}, {y - stage['y']})")
    assert at == pytest.approx([500, 90], abs=2)


def test_two_fingers_zoom_the_timeline(edited):
    y = on_bar(edited, 2, 6)[1]
    left, right = on_bar(edited, 2, 4)[0], on_bar(edited, 2, 8)[0]
    before = edited.get("viewer.timeline.to - viewer.timeline.from")
    edited.get("(viewer.data.last = 400, viewer.timeline.view(0, 100), null)")
    edited.settle()
    touch(edited, ((left, y), (left - 60, y)), ((right, y), (right + 60, y)))
    assert before == 12
    assert edited.get("viewer.timeline.to - viewer.timeline.from") < 80


def test_a_finger_drags_the_chosen_bar_onto_another(edited):
    edited.page.touchscreen.tap(*on_bar(edited, 4, 2))
    edited.settle()
    assert edited.track == 4
    touch(edited, (on_bar(edited, 4, 2), on_bar(edited, 1, 2)))
    (edit,) = edited.get("viewer.editor.history.edits")
    assert edit == {"do": "merge", "tracks": [4], "into": 1, "class": "person"}


def test_a_finger_moves_the_chosen_box_and_two_do_not(edited):
    edited.page.touchscreen.tap(*on_bar(edited, 1, 2))
    edited.settle()
    edited.get("(viewer.player.seek(2), null)")
    edited.settle()
    touch(edited, (on_video(edited, 24, 50), on_video(edited, 64, 70)))
    (edit,) = edited.get("viewer.editor.history.edits")
    assert edit["box"] == pytest.approx([54, 50, 74, 90], abs=3)
    touch(
        edited,
        (on_video(edited, 64, 70), on_video(edited, 44, 70)),
        (on_video(edited, 400, 70), on_video(edited, 460, 70)),
    )
    assert len(edited.get("viewer.editor.history.edits")) == 1
    assert scale(edited) > 1
