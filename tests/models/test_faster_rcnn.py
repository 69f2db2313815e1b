"""The paper's network: its shapes, what its losses reach, and that it learns."""

import json
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from minet_core.errors import ConfigError
from minet_core.models.faster_rcnn.network import FasterRcnn, build_rcnn, scale_picture
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS, RcnnConfig

CLASSES = ("disc", "square", "star")
TINY = replace(RCNN_CONFIGS["minet-tiny"], shorter=96, longer=128)
Target = dict[str, Tensor]


def build(config: RcnnConfig = TINY) -> FasterRcnn:
    torch.manual_seed(0)
    return build_rcnn(config, CLASSES)


def picture(height: int = 96, width: int = 128, seed: int = 0) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def target(*boxes: tuple[float, float, float, float], labels: tuple[int, ...] = ()) -> Target:
    rows = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    ids = labels or tuple(range(len(boxes)))
    return {"boxes": rows, "labels": torch.tensor(ids, dtype=torch.int64)}


TARGET = target((10, 10, 50, 60), (60, 20, 120, 80))


def losses_of(model: FasterRcnn, images: list[Tensor], targets: list[Target]) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return model.losses(images, targets)[0]


def test_losses_are_the_three_of_the_detector_and_finite() -> None:
    losses = losses_of(build(), [picture(), picture(seed=1)], [TARGET, TARGET])
    assert list(losses) == ["cls", "loc", "rpn"]
    assert all(loss.shape == () and bool(loss.isfinite()) for loss in losses.values())


def test_embeddings_have_the_norm_of_the_configuration() -> None:
    model = build(replace(TINY, embedding_norm=3.0))
    _, shared = model.losses([picture()], [TARGET])
    embeddings = model.identify(shared, 0, TARGET["boxes"])
    assert embeddings.shape == (2, 128)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.full((2,), 3.0))


def gradients(model: FasterRcnn) -> set[str]:
    """Parts of the model that have a gradient other than zero."""
    return {
        name.partition(".")[0]
        for name, parameter in model.named_parameters()
        if parameter.grad is not None and bool(parameter.grad.any())
    }


def test_the_detectors_losses_reach_everything_but_the_identify_head() -> None:
    model = build()
    losses, _ = model.losses([picture()], [TARGET])
    sum(losses.values()).backward()
    assert gradients(model) == {"backbone", "proposals", "detect_head"}


def test_embeddings_reach_the_identify_head_and_the_shared_backbone() -> None:
    model = build()
    _, shared = model.losses([picture()], [TARGET])
    model.identify(shared, 0, TARGET["boxes"])[:, 0].sum().backward()
    assert gradients(model) == {"backbone", "identify_head"}


def test_a_picture_without_boxes_is_all_background() -> None:
    model = build()
    losses = losses_of(model, [picture()], [target()])
    assert losses["loc"] == 0
    sum(losses.values()).backward()
    assert bool(model.detect_head.scores.weight.grad.isfinite().all())


def test_a_quarter_of_the_regions_to_learn_from_are_objects() -> None:
    head = build().detect_head
    truth = target((10, 10, 50, 60), (60, 20, 120, 80), labels=(2, 0))
    near = truth["boxes"].repeat(100, 1) + torch.tensor([1.0, 0, 1, 0])
    far = torch.tensor([[0.0, 70, 20, 90]]).repeat(300, 1)
    regions, wanted, deltas = head.sample(torch.cat([near, far]), **truth)
    assert len(regions) == 128
    assert int((wanted > 0).sum()) == 32
    assert set(wanted.tolist()) == {0, 1, 3}
    objects = head.refine(regions, deltas)[wanted == 3]
    torch.testing.assert_close(objects, truth["boxes"][:1].expand_as(objects))


def test_a_pictures_features_do_not_depend_on_its_neighbours_size() -> None:
    model = build()
    shared_alone = model.features([picture()])
    shared_beside = model.features([picture(), picture(120, 80)])
    shared_same = model.features([picture(), picture(seed=2)])
    for shared in (shared_beside, shared_same):
        torch.testing.assert_close(shared.conv5[0], shared_alone.conv5[0], rtol=1e-4, atol=1e-5)


def test_boxes_are_in_pixels_of_the_picture_that_was_given() -> None:
    """Twice as large a picture with boxes twice as large is the same to the network."""
    model = build()
    coarse = picture(6, 8)[None]
    small, large = (
        torch.nn.functional.interpolate(coarse, size, mode="bilinear")[0]
        for size in ((96, 128), (192, 256))
    )
    boxes = TARGET["boxes"]
    shared = model.features([small, large])
    alike = model.identify(shared, 0, boxes) * model.identify(shared, 1, 2 * boxes)
    other = model.identify(shared, 0, boxes) * model.identify(shared, 1, boxes)
    assert bool((alike.sum(dim=1) > 0.999).all())
    assert bool((other.sum(dim=1) < 0.99).all())


def test_losses_fall_on_one_picture() -> None:
    model = build()
    image = 0.2 * picture()
    image[0, 10:60, 10:50] += 0.7
    image[1, 20:80, 60:120] += 0.7
    optimiser = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    totals = []
    for _ in range(25):
        losses, _ = model.losses([image], [TARGET])
        optimiser.zero_grad()
        total = sum(losses.values())
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        totals.append(total.item())
    assert sum(totals[-3:]) < 0.5 * sum(totals[:3])


@pytest.mark.parametrize("name", RCNN_CONFIGS)
def test_configuration_survives_json(name: str) -> None:
    config = RCNN_CONFIGS[name]
    assert RcnnConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("change", [{"more": 1}, {"hidden": "many"}, {"anchors": 3}])
def test_a_configuration_that_does_not_fit_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        RcnnConfig.from_dict(TINY.to_dict() | change)


@pytest.mark.parametrize(
    ("given", "scaled"),
    [
        pytest.param((720, 1280), (562, 1000), id="longer-side-decides"),
        pytest.param((720, 960), (600, 800), id="shorter-side-decides"),
        pytest.param((300, 400), (600, 800), id="small-is-enlarged"),
        pytest.param((1, 5000), (1, 5000), id="one-pixel-high"),
    ],
)
def test_pictures_are_scaled_as_in_the_paper(
    given: tuple[int, int], scaled: tuple[int, int]
) -> None:
    picture, _ = scale_picture(torch.zeros(3, *given), 600, 1000)
    assert picture.shape[1:] == scaled
