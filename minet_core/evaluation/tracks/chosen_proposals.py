"""The proposal of a later frame that an identifier of a true box chooses (the paper's Fig. 5).

The memory starts with the true boxes of a track's first frame. In each later frame it chooses the
proposal with the highest association. It learns nothing more, and uses neither scores nor
positions, so only the identifier is tested.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from minet_core.box_tensors import box_iou
from minet_core.boxes import NO_TRACK
from minet_core.config import MemoryConfig
from minet_core.datasets.dataset import VideoTruth
from minet_core.evaluation.predictions.convert import true_boxes
from minet_core.memory.identifier import closed_form
from minet_core.memory.support import own_proposals, positive_boxes
from minet_core.models.detector import Embedder, FeatureMap, Frame
from minet_core.models.zoo import Model


@dataclass(frozen=True, slots=True)
class Chosen:
    """The choice for an object in one frame.

    Attributes:
        track_id: of the object.
        frame: 0-based.
        after: number of frames since its identifier's frame.
        box: xyxy of the proposal.
        truth: xyxy of the object.
        iou: overlap of the two.
    """

    track_id: int
    frame: int
    after: int
    box: tuple[float, ...]
    truth: tuple[float, ...]
    iou: float


def chosen(
    video: VideoTruth, model: Model, config: MemoryConfig, *, inclusive: bool = False
) -> Iterator[Chosen]:
    """The choices for every track of a video, frame by frame.

    Args:
        video: pictures and ground truth.
        model: gives proposals and embeddings.
        config: samples and λ.
        inclusive: whether the dataset's boxes are inclusive.
    """
    identifiers: dict[int, torch.Tensor] = {}
    begun: dict[int, int] = {}
    for number, image in video.images():
        truth = true_boxes(video.frame(number), inclusive=inclusive)
        proposals = model.detector.detect([image])[0].proposals
        features = model.embedder.features(image)
        embeddings = model.embedder.embed(features, proposals).double()
        for track, row in zip(truth.track_ids.tolist(), truth.boxes, strict=True):
            if track == NO_TRACK:
                continue
            box = torch.from_numpy(row).float()
            if track not in identifiers:
                identifiers[track] = identifier_of(box, proposals, features, model.embedder, config)
                begun[track] = number
            elif len(proposals):
                best = proposals[(embeddings @ identifiers[track]).argmax()]
                overlap = float(box_iou(best[None].float(), box[None])[0, 0])
                pair = tuple(best.tolist()), tuple(box.tolist())
                yield Chosen(track, number, number - begun[track], *pair, overlap)


def chosen_at(
    images: Sequence[Frame], box: torch.Tensor, model: Model, config: MemoryConfig
) -> list[torch.Tensor]:
    """(4,) xyxy of the proposal that the identifier of a box chooses in each later picture.

    A model that uses neighbouring frames gets each picture alone.

    Args:
        images: the picture of the box, then the later ones.
        box: (4,) xyxy, true.
        model: gives proposals and embeddings.
        config: samples and λ.
    """
    identifier, found = None, []
    for image in images:
        model.surround(image, [], [])
        proposals = model.detector.detect([image])[0].proposals
        features = model.embedder.features(image)
        if identifier is None:
            identifier = identifier_of(box, proposals, features, model.embedder, config)
        elif len(proposals):
            embeddings = model.embedder.embed(features, proposals).double()
            found.append(proposals[(embeddings @ identifier).argmax()])
        else:
            found.append(torch.full((4,), torch.nan))
    return found


def identifier_of(
    box: torch.Tensor,
    proposals: torch.Tensor,
    features: FeatureMap,
    embedder: Embedder,
    config: MemoryConfig,
) -> torch.Tensor:
    """(D,) the identifier of a true box, learnt from one frame as in the memory (§III-D.2).

    Args:
        box: (4,) xyxy.
        proposals: (N, 4) of the frame.
        features: of the frame.
        embedder: gives embeddings.
        config: samples and λ.
    """
    others = proposals[~own_proposals(box[None], proposals.float())[0]]
    positives = positive_boxes(box[None], config.positives)[0]
    samples = embedder.embed(features, torch.cat([positives, others])).double()
    labels = torch.zeros(len(samples), dtype=torch.float64)
    labels[: len(positives)] = 1
    # All other proposals, with a total weight of the paper's number of samples.
    weights = torch.ones(len(samples), dtype=torch.float64)
    weights[len(positives) :] = min(1.0, config.negatives / max(1, len(others)))
    root = weights.sqrt()
    return closed_form(samples * root[:, None], labels * root, config.ridge)
