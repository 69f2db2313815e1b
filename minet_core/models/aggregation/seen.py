"""What aggregation keeps of a frame that a backbone has looked at."""

from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One frame, on the grid of the backbone's maps.

    Attributes:
        picture: (1, 3, H, W) as the network sees it, 0..1, padded to whole cells.
        conv4: (1, channels, h, w).
        conv5: likewise, on the same grid.
        embedding: (1, E, h, w) by which frames are weighed.
        key: (1, K, h, w) by which places are found again; None where the warp looks at pictures.
    """

    picture: Tensor
    conv4: Tensor
    conv5: Tensor
    embedding: Tensor
    key: Tensor | None

    def halved(self) -> "Seen":
        """The same with maps in half precision, to be kept."""
        return replace(
            self,
            conv4=self.conv4.half(),
            conv5=self.conv5.half(),
            embedding=self.embedding.half(),
        )

    def fits(self, other: "Seen") -> bool:
        """Whether two frames lie on one grid, so that one can be warped to the other."""
        return self.conv5.shape == other.conv5.shape
