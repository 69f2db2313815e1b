"""Going on from the edits of a result that is being reviewed, beside the server."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from minet_core.errors import InputError, MinetError
from minet_core.formats import read_json
from minet_core.formats.edits.file import NAME
from minet_core.options import FORMATS, SCORE_VECTORS, SIGHTS, DetectOptions
from minet_core.runs.manifest import ANNOTATED, REPORT, read_manifest
from minet_core.text import shown
from minet_core.video.opening import is_url

Told = Callable[[float, str], None]
"""Takes what share is done, and a line."""


@dataclass(frozen=True, slots=True)
class Going:
    """How far it is.

    Attributes:
        state: idle, running, done or failed.
        share: of the work, from 0 to 1.
        line: for the user.
    """

    state: str = "idle"
    share: float = 0.0
    line: str = ""


class GoingOn:
    """One run at a time, in a thread of its own.

    Attributes:
        told: how far it is.
    """

    def __init__(self) -> None:
        self.told = Going()
        self._lock = Lock()
        self._thread: Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether files of the result may change at any moment."""
        return self.told.state == "running"

    def begin(self, work: Callable[[Told], None], renew: Callable[[], None]) -> None:
        """Begin, unless it is running.

        Args:
            work: makes the new result, or leaves the old one.
            renew: takes up the new result.
        """
        with self._lock:
            if not self.is_running:
                self.told = Going("running", line="Beginning")
                self._thread = Thread(target=self._run, args=(work, renew), daemon=True)
                self._thread.start()

    def _run(self, work: Callable[[Told], None], renew: Callable[[], None]) -> None:
        try:
            work(lambda share, line: setattr(self, "told", Going("running", share, line)))
            renew()
        except Exception as error:  # whatever it is, the page has to be told
            known = isinstance(error, MinetError)
            line = str(error) if known else f"unexpected {type(error).__name__}: {error}"
            self.told = Going("failed", line=f"Not done, and nothing is lost: {line}")
        else:
            self.told = Going("done", 1.0, "Done")

    def wait(self) -> None:
        """Until nothing runs."""
        if self._thread is not None:
            self._thread.join()


def going_on_from(result: Path, told: Told) -> None:
    """Make a result again, around the edits beside it, with the settings it was made with.

    Args:
        result: the result.json.
        told: is told how far it is.

    Raises:
        MinetError: it cannot be done; the result is as it was.
    """
    source, options = how_made(result)
    from minet_core.models.zoo import model_of  # with it comes PyTorch
    from minet_core.runs.annotate import annotate
    from minet_core.runs.asked_frames import expected_frames

    told(0.0, "Loading the model")
    model = model_of(options)
    done = 0
    what = "Finding tracks" if (result.parent / SIGHTS).is_file() else "Seeing the video once more"

    def progress(_: Any, info: Any) -> None:
        nonlocal done
        done += 1
        whole = expected_frames(info, options)
        share = 0.0 if whole is None else min(done / max(whole, 1), 1.0)
        told(share, f"{what}: {done} of {whole or '?'} frames")

    annotate(source, result.parent, model, options, progress)


def how_made(result: Path) -> tuple[str, DetectOptions]:
    """The video of a result, and the options to make it again around the edits beside it.

    Raises:
        InputError: its folder does not tell, or it was made of drawn boxes alone.
    """
    folder, name = result.parent, shown(result.parent)
    manifest, header = read_manifest(folder), read_json(result).header
    if manifest is None or result.name != FORMATS["json"]:
        raise InputError(f"{name}: no minet.json, which records how the result was made")
    if not (folder / NAME).is_file():
        raise InputError(f"{name}: no {NAME} to continue from")
    settings: dict[str, Any] = {**manifest.settings, **header["settings"]}
    if settings.get("first_boxes") or settings.get("prompts"):
        raise InputError(f"{name}: made of drawn boxes alone; more of them go into --prompts")
    source = str(header["video"]["path"])
    if not (is_url(source) or Path(source).exists()):
        raise InputError(f"{source}: the video is not there any more")
    known = {field.name for field in fields(DetectOptions)}
    given = {key: _plain(value) for key, value in settings.items() if key in known}
    given |= {
        "model": header["model"],
        "preset": settings["preset"] or DetectOptions().preset,
        "formats": tuple(n for n, file in FORMATS.items() if (folder / file).is_file()),
        "video": (folder / ANNOTATED).is_file(),
        "report": (folder / REPORT).is_file(),
        "score_vectors": (folder / SCORE_VECTORS).is_file(),
        "corrections": str(folder / NAME),
        "overwrite": True,
    }
    return source, DetectOptions(**given)


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
