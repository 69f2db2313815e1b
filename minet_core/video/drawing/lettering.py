"""Text on pictures, by OpenCV."""

from importlib import import_module
from types import ModuleType

from minet_core.errors import MinetError
from minet_core.threads import limit_opencv
from minet_core.video.drawing.palette import Colour
from minet_core.video.info import Image


def load_opencv(purpose: str = "draw") -> ModuleType:
    """OpenCV, loaded only when something is drawn: on a server without libGL it cannot be.

    Args:
        purpose: what cannot be done without, for the message.

    Raises:
        MinetError: it cannot be loaded.
    """
    try:
        cv2 = import_module("cv2")
    except ImportError as error:
        raise MinetError(
            f"cannot {purpose}, OpenCV does not load ({str(error).splitlines()[0]}): on a machine "
            "without a screen, install opencv-python-headless in place of opencv-python"
        ) from None
    limit_opencv(cv2)
    return cv2


class Lettering:
    """One typeface in one size.

    OpenCV 5 draws any script with a font of its own. Older ones know only ASCII, in thin strokes;
    there, other letters become question marks.

    Args:
        size: of the letters, in pixels from the top of `b` to the bottom of `p`, about.

    Attributes:
        height: pixels of a line of text.
        baseline: pixels from the top of a line to the foot of its letters.
    """

    def __init__(self, size: int) -> None:
        self._cv2 = load_opencv()
        self.size = size
        self.height = round(1.3 * size)
        self.baseline = round(0.96 * size)
        self._face = self._cv2.FontFace("sans") if hasattr(self._cv2, "FontFace") else None
        self._stroke = max(1, round(size / 14))
        # Hershey's capitals are 21 units high, and a line is half as high again.
        self._scale = size / 32

    def width(self, text: str) -> int:
        """How many pixels wide a text is."""
        if self._face is not None:
            box = self._cv2.getTextSize((0, 0), text, (0, 0), self._face, self.size, _WEIGHT)
            return int(box[0] + box[2])
        face = self._cv2.FONT_HERSHEY_SIMPLEX
        (width, _), _ = self._cv2.getTextSize(_ascii(text), face, self._scale, self._stroke)
        return int(width)

    def put(self, image: Image, text: str, left: int, baseline: int, colour: Colour) -> None:
        """Draw one line of text in place; what does not fit is cut off at the edge."""
        at = (left, baseline)
        if self._face is not None:
            self._cv2.putText(
                image, text, at, colour, self._face, self.size, _WEIGHT, wrap=_NO_WRAP
            )
        else:
            face, thin, smooth = self._cv2.FONT_HERSHEY_SIMPLEX, self._stroke, self._cv2.LINE_AA
            self._cv2.putText(image, _ascii(text), at, face, self._scale, colour, thin, smooth)


_WEIGHT = 500  # a little bolder than regular, for small sizes on moving pictures
_NO_WRAP = (0, 1 << 20)


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode("ascii")
