"""Colours that tell tracks apart, for colour-blind eyes too."""

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

UNTRACKED: Colour = (150, 150, 150)

_WHITE: Colour = (255, 255, 255)
_BLACK: Colour = (0, 0, 0)

# The palette of Okabe and Ito, "Color Universal Design" (2008), without black. The order is the
# one in which ids that follow each other differ most, to normal and to colour-blind eyes.
_HUES: tuple[Colour, ...] = (
    (213, 94, 0),  # vermillion
    (86, 180, 233),  # sky blue
    (0, 158, 115),  # bluish green
    (240, 228, 66),  # yellow
    (204, 121, 167),  # reddish purple
    (0, 114, 178),  # blue
    (230, 159, 0),  # orange
)

# Each hue as it is, darker, and lighter: towards which colour, and how far.
_SHADES: tuple[tuple[Colour, float], ...] = ((_BLACK, 0.0), (_BLACK, 0.4), (_WHITE, 0.55))


def _mix(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


# 7 and 3 have no common divisor: hue and shade both change at every step, and all 21 pairs occur.
PALETTE: tuple[Colour, ...] = tuple(
    _mix(_HUES[i % len(_HUES)], *_SHADES[i % len(_SHADES)])
    for i in range(len(_HUES) * len(_SHADES))
)


def colour_of(track_id: int) -> Colour:
    """The colour of a track, always the same one; grey for a negative id."""
    return PALETTE[track_id % len(PALETTE)] if track_id >= 0 else UNTRACKED


def text_colour_on(background: Colour) -> Colour:
    """Black or white, whichever has more contrast (by WCAG's relative luminance)."""
    linear = [((c / 255 + 0.055) / 1.055) ** 2.4 if c > 10 else c / 3294.6 for c in background]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return _BLACK if luminance > 0.179 else _WHITE
