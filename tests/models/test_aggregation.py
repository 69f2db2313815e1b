"""Features aggregated over frames (FGFA): the warps, the sum, the window, the training."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from stub_model import StubDetector, StubEmbedder
from torch.autograd import gradcheck
from train_data import random, tiny, toy
from video_factory import grey_images, index_of, write_grey_video

from minet_core.datasets import open_dataset
from minet_core.errors import ConfigError
from minet_core.inference.windows import windows
from minet_core.models.aggregation.aggregate import Aggregation
from minet_core.models.aggregation.seen import Seen
from minet_core.models.aggregation.warps import CorrelationWarp, DisWarp, RaftWarp, warped
from minet_core.models.faster_rcnn.network import FasterRcnn, build_rcnn
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS, RcnnConfig
from minet_core.models.faster_rcnn.windowed import WindowedDetector, rcnn_detector
from minet_core.models.network_file import load_rcnn, save_model
from minet_core.models.zoo import Model, load_model
from minet_core.options import DetectOptions
from minet_core.runs import outputs
from minet_core.runs.annotate import annotate
from minet_core.runs.api import VideoDetector, iterate_video
from minet_core.training.data.frame_pairs import FramePairs
from minet_core.training.data.samples import make_sample
from minet_core.training.data.sampling import Draws
from minet_core.training.data.sources import open_datasets, pair_up
from minet_core.training.networks import build_task
from minet_core.training.settings import recipe

TINY = replace(RCNN_CONFIGS["minet-fgfa-tiny"], shorter=48, longer=64, window=(2, 1), proposals=30)
CLASSES = ("disc", "star")


def network(**settings: Any) -> FasterRcnn:
    torch.manual_seed(0)
    return build_rcnn(replace(TINY, **settings), CLASSES)


def pictures(count: int, seed: int = 0) -> list[np.ndarray]:
    numbers = np.random.default_rng(seed)
    return [numbers.integers(0, 255, (96, 128, 3), dtype=np.uint8) for _ in range(count)]


def textured(seed: int, shift: tuple[int, int] = (0, 0)) -> torch.Tensor:
    """(1, 3, 128, 160) smooth noise, moved by (right, down) pixels."""
    numbers = np.random.default_rng(seed).random((40, 48, 3)).astype(np.float32)
    big = torch.from_numpy(numbers).permute(2, 0, 1)[None]
    smooth = torch.nn.functional.interpolate(big, scale_factor=6, mode="bicubic").clamp(0, 1)
    x, y = 40 - shift[0], 40 - shift[1]
    return smooth[..., y : y + 128, x : x + 160]


def seen(picture: torch.Tensor, channels: int = 6, aggregation: Aggregation | None = None) -> Seen:
    """A frame whose maps are its picture, mixed, at a stride of 8."""
    small = torch.nn.functional.avg_pool2d(picture, 8)
    mix = torch.randn(channels, 3, generator=torch.Generator().manual_seed(3))
    maps = torch.einsum("kc,bchw->bkhw", mix, small)
    if aggregation is None:
        return Seen(picture, maps[:, :4], maps, maps, None)
    return aggregation.see(picture, maps[:, :4], maps)


def aggregation(warp: str) -> Aggregation:
    torch.manual_seed(1)
    config = RcnnConfig(
        aggregation=warp, aggregation_widths=(8, 16), aggregation_keys=8, aggregation_reach=3
    )
    return Aggregation(config, 6)


class TestWarps:
    @pytest.mark.parametrize("warp", ["correlation", "dis"])
    def test_equal_frames_leave_the_maps_as_they_are(self, warp: str) -> None:
        sums = aggregation(warp)
        frame = seen(textured(0), aggregation=sums)
        with torch.no_grad():
            conv4, conv5 = sums(frame, [frame, frame, frame])
        torch.testing.assert_close(conv4, frame.conv4, atol=1e-4, rtol=0)
        torch.testing.assert_close(conv5, frame.conv5, atol=1e-4, rtol=0)

    def test_opencv_finds_what_moved(self) -> None:
        """By a cell to the right and half a cell down."""
        before, after = seen(textured(0)), seen(textured(0, (8, 4)))
        (flow,) = DisWarp().flows(before, [after])
        middle = flow[0, :, 4:-4, 4:-4].mean(dim=(1, 2))
        torch.testing.assert_close(middle, torch.tensor([1.0, 0.5]), atol=0.1, rtol=0)
        back = warped(after.conv5, flow)
        inside = (..., slice(3, -3), slice(3, -3))
        moved, still = (
            (maps[inside] - before.conv5[inside]).abs().mean() for maps in (back, after.conv5)
        )
        assert moved < 0.5 * still

    def test_correlation_finds_what_moved(self) -> None:
        torch.manual_seed(0)
        values = torch.randn(1, 32, 14, 16)
        moved = values.roll((1, 2), dims=(2, 3))  # one cell down and two to the right
        warp = CorrelationWarp(32, 16, 3)
        frames = [Seen(values, each, each, each, warp.key(each)) for each in (values, moved)]
        (flow,) = warp.flows(frames[0], frames[1:])
        middle = flow[0, :, 4:-4, 4:-4]
        torch.testing.assert_close(
            middle.median(dim=2).values.median(dim=1).values,
            torch.tensor([2.0, 1.0]),
            atol=0.2,
            rtol=0,
        )

    def test_raft_has_flows_in_cells_for_any_size(self) -> None:
        warp = RaftWarp()
        frames = [seen(torch.rand(1, 3, 72, 88)), seen(torch.rand(1, 3, 72, 88))]
        (flow,) = warp.flows(frames[0], frames[1:])
        assert flow.shape == (1, 2, 9, 11)
        assert not any(each.requires_grad for each in warp.parameters())

    def test_gradients(self) -> None:
        torch.manual_seed(0)
        values = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
        flow = (0.3 * torch.randn(1, 2, 4, 5, dtype=torch.float64)).requires_grad_()
        assert gradcheck(warped, (values, flow))
        warp = CorrelationWarp(2, 3, 1).double()
        keys = torch.randn(2, 1, 3, 4, 5, dtype=torch.float64, requires_grad=True)
        scale = warp._scale
        assert gradcheck(lambda both, _: warp.displacement(both[0], both[1]), (keys, scale))

    def test_there_is_no_other(self) -> None:
        with pytest.raises(ConfigError, match="no warp 'flow'"):
            RcnnConfig(aggregation="flow")


class Fixed(torch.nn.Module):
    """Flows that are known."""

    def __init__(self, flows: Sequence[torch.Tensor]) -> None:
        super().__init__()
        self._flows = flows

    def key(self, conv5: torch.Tensor) -> None:
        pass

    def flows(self, *_: object) -> Sequence[torch.Tensor]:
        return self._flows


def test_the_sum_is_that_of_the_paper_place_by_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole cells of flow, and NumPy loops: a softmax over frames of cosines."""
    sums = aggregation("dis")
    numbers = np.random.default_rng(0)
    flows = [torch.from_numpy(numbers.integers(-2, 3, (1, 2, 16, 20))).float() for _ in range(2)]
    monkeypatch.setattr(sums, "warp", Fixed(flows))
    target, *others = (seen(textured(seed), aggregation=sums) for seed in range(3))
    with torch.no_grad():
        _, found = sums(target, others)
    for y, x in ((0, 0), (7, 3), (15, 19), (4, 12)):
        values, cosines = [target.conv5[0, :, y, x].numpy()], [1.0]
        own = target.embedding[0, :, y, x].detach().numpy()
        for other, flow in zip(others, flows, strict=True):
            right, down = flow[0, :, y, x].int().tolist()
            there = np.clip(y + down, 0, 15), np.clip(x + right, 0, 19)
            values.append(other.conv5[0, :, *there].numpy())
            e = other.embedding[0, :, *there].detach().numpy()
            cosines.append(float(e @ own / np.linalg.norm(e) / np.linalg.norm(own)))
        weights = np.exp(cosines) / np.exp(cosines).sum()
        expected = sum(w * v for w, v in zip(weights, values, strict=True))
        np.testing.assert_allclose(found[0, :, y, x].numpy(), expected, atol=1e-4)


@given(st.integers(0, 8), st.integers(0, 4), st.integers(0, 4), st.sets(st.integers(0, 7)))
def test_a_window_is_what_lies_around(
    count: int, before: int, after: int, missing: set[int]
) -> None:
    frames = [None if i in missing else np.full((1, 1, 3), i, np.uint8) for i in range(count)]
    items = list(windows(enumerate(frames), lambda item: item[1], (before, after)))
    assert [item[0] for item, _, _ in items] == list(range(count))
    there = [i for i in range(count) if i not in missing]
    for (number, _), past, ahead in items:
        assert [int(each[0, 0, 0]) for each in ahead] == [
            i for i in there if number < i <= number + after
        ]
        expected = [i for i in there if i < number]
        assert [int(each[0, 0, 0]) for each in past] == expected[max(0, len(expected) - before) :]


class TestAtWork:
    def test_each_frame_goes_through_the_backbone_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And what is found is what a network finds that is shown the whole window at once."""
        model = network().eval()
        frames = pictures(6)
        tensors = [torch.from_numpy(each).permute(2, 0, 1) for each in frames]
        with torch.no_grad():
            wanted = []
            for i, tensor in enumerate(tensors):
                around = [*tensors[max(0, i - 2) : i], *tensors[i + 1 : i + 2]]
                shared = model.features_within([tensor], [around])
                wanted.append((model.detect(shared, 0, (96, 128)), model.identify_map(shared, 0)))
        passes = []
        forward = model.backbone.forward
        monkeypatch.setattr(
            model.backbone, "forward", lambda batch: passes.append(len(batch)) or forward(batch)
        )
        detector = rcnn_detector(model)
        assert isinstance(detector, WindowedDetector)
        assert detector.window == (2, 1)
        for (frame, before, after), (found, features) in zip(
            windows(frames, lambda each: each, detector.window), wanted, strict=True
        ):
            detector.surround(frame, before, after)
            base = detector.detect([frame])[0]
            torch.testing.assert_close(base.scores, found.scores, atol=1e-5, rtol=0)
            torch.testing.assert_close(detector.features(frame).values, features, atol=1e-5, rtol=0)
        assert passes == [1] * 6

    def test_neighbours_matter_and_a_frame_alone_is_itself(self) -> None:
        detector = WindowedDetector(network())
        plain = detector.features(pictures(1)[0]).values
        first, second = pictures(2)
        detector.surround(first, [], [])
        torch.testing.assert_close(detector.features(first).values, plain)
        detector.surround(first, [], [second])
        assert not torch.allclose(detector.features(first).values, plain, atol=1e-4)

    def test_half_precision_is_nearly_the_same(self) -> None:
        first, second = pictures(2)
        values = []
        for half in (False, True):
            detector = WindowedDetector(network(half_window=half))
            detector.surround(first, [], [second])
            values.append(detector.features(first).values)
        assert values[1].dtype == torch.float32
        torch.testing.assert_close(values[1], values[0], atol=0.01, rtol=0.01)
        assert not torch.equal(values[1], values[0])

    def test_a_neighbour_of_another_size_is_left_out(self) -> None:
        detector = WindowedDetector(network())
        (frame,) = pictures(1)
        plain = detector.features(frame).values
        detector.surround(frame, [np.zeros((128, 96, 3), np.uint8)], [])
        torch.testing.assert_close(detector.features(frame).values, plain)

    def test_files(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.safetensors"
        save_model(path, network())
        assert load_rcnn(path).config == TINY
        assert load_model(str(path), device="cpu").window == (2, 1)
        with pytest.raises(ConfigError, match="does not go with tiles"):
            load_model(str(path), device="cpu", tiles=2)

    def test_files_of_earlier_versions_are_read(self) -> None:
        """Theirs have nothing of aggregation, and neither have those of networks without it."""
        plain = RCNN_CONFIGS["minet-tiny"].to_dict()
        assert not any("aggregation" in name or "window" in name for name in plain)
        assert RcnnConfig.from_dict(plain) == RCNN_CONFIGS["minet-tiny"]


class Looking(StubDetector):
    """Notes which frames lie around the frame that it is asked about."""

    window = (2, 1)

    def __init__(self) -> None:
        super().__init__()
        self.around: list[tuple[int, list[int], list[int]]] = []

    def surround(
        self, frame: np.ndarray, before: Sequence[np.ndarray], after: Sequence[np.ndarray]
    ) -> None:
        earlier, later = ([index_of(each) for each in side] for side in (before, after))
        self.around.append((index_of(frame), earlier, later))


def expected(count: int, begin: int = 0) -> list[tuple[int, list[int], list[int]]]:
    return [
        (i, list(range(max(0, i - 2), i)), list(range(i + 1, min(count, i + 2))))
        for i in range(begin, count)
    ]


class TestVideos:
    def test_a_run_and_its_going_on(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What goes on reads the neighbours of its first frame again."""
        monkeypatch.setattr(outputs, "BORDER", 5)
        video = write_grey_video(tmp_path / "video.mp4", 12)
        options = DetectOptions(checkpoint=0.0, video=False)

        def stop(found: Any, _: object) -> None:
            if found.frame == 8:
                raise KeyboardInterrupt

        detector = Looking()
        with pytest.raises(KeyboardInterrupt):
            annotate(video, tmp_path / "out", Model("m", detector, StubEmbedder()), options, stop)
        assert detector.around[:8] == expected(12)[:8]
        again = Looking()
        options = replace(options, resume=True)
        summary = annotate(video, tmp_path / "out", Model("m", again, StubEmbedder()), options)
        assert summary.frames == 12
        assert again.around == expected(12, begin=summary.frames_before)
        assert summary.frames_before == 5

    def test_python(self, tmp_path: Path) -> None:
        """Frame by frame, nobody knows what comes; of a file it is known."""
        detector = Looking()
        video = VideoDetector(Model("m", detector, StubEmbedder()))
        buffer = np.zeros((48, 64, 3), np.uint8)
        for image in grey_images(4):
            buffer[:] = image  # as programs do that read into one buffer
            video.detect(buffer)
        assert detector.around == [(i, before, []) for i, before, _ in expected(4)]
        detector.around.clear()
        path = write_grey_video(tmp_path / "video.mp4", 6)
        assert len(list(iterate_video(path, video))) == 6
        assert detector.around == expected(6)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return toy(tmp_path_factory.mktemp("data") / "toy")


class TestTraining:
    def test_pairs_bring_neighbours_within_reach(self, data: str) -> None:
        dataset = open_dataset(data, "train")
        source = FramePairs(dataset, np.arange(2), neighbours=2, reach=1)
        frames = {
            video.name: [video.image(i) for i in range(len(video))] for video in dataset.videos
        }
        counts = set()
        for number in range(20):
            pair = source.draw(random(number))
            images = frames[pair.name.partition(",")[0]]
            for view in (pair.support, pair.query):
                at = next(i for i, image in enumerate(images) if (image == view.image).all())
                places = [
                    next(i for i, image in enumerate(images) if (image == each).all())
                    for each in view.around
                ]
                assert sorted(places) == [i for i in (at - 1, at + 1) if 0 <= i < len(images)]
                counts.add(len(places))
        assert counts == {1, 2}

    def test_neighbours_are_mirrored_with_their_frame(self, data: str) -> None:
        source = FramePairs(open_dataset(data, "train"), np.arange(2), neighbours=1)
        pair = source.draw(random())
        sample = make_sample(pair, tiny(data, flip=1.0), random())
        (found,) = sample.around[0]
        assert (found.permute(1, 2, 0).numpy() == pair.support.around[0][:, ::-1]).all()

    def test_the_recipe_brings_two(self) -> None:
        assert recipe("minet-fgfa-r101").neighbours == recipe("minet-fgfa-tiny").neighbours == 2
        assert recipe("minet-r101").neighbours == 0

    def test_a_detector_that_is_trained_can_begin_to_aggregate(
        self, data: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "plain.safetensors"
        plain = build_rcnn(RCNN_CONFIGS["minet-tiny"], CLASSES)
        save_model(path, plain)
        begun = (("aggregation", "dis"), ("aggregation_widths", (8, 16)), ("window", (1, 1)))
        network = build_task(tiny(data, model=str(path), network=begun), CLASSES, print).network
        assert network.config.window == (1, 1)
        assert network.aggregation is not None
        for name, weights in plain.state_dict().items():
            torch.testing.assert_close(network.state_dict()[name], weights)

    def test_the_losses_reach_what_aggregates(self, data: str) -> None:
        config = tiny(data, model="minet-fgfa-tiny", neighbours=2)
        task: Any = build_task(config, CLASSES, print)
        draws = Draws(pair_up(open_datasets(config), config).weighted, config)
        torch.manual_seed(0)
        losses = task.losses(draws.sample(0, 0))
        assert set(losses) == {"meta", "cls", "loc", "rpn"}
        torch.stack(list(losses.values())).sum().backward()
        for name, weights in task.network.aggregation.named_parameters():
            assert weights.grad is not None, name
            assert bool(weights.grad.isfinite().all())
        assert float(task.network.aggregation.warp._keys.weight.grad.abs().max()) > 0
