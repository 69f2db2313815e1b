import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from minet_core.errors import WeightsError
from minet_core.models.identify.embedder import IdentifyEmbedder, load_identify
from minet_core.models.identify.embedding import ARCHITECTURE
from minet_core.models.identify.network import IdentifyNetwork, fuse_batch_norm
from minet_core.models.weights import weights_folder, write_safetensors

BUNDLED = weights_folder() / "minet-nano-identify.safetensors"


@pytest.fixture(scope="module")
def embedder() -> IdentifyEmbedder:
    return load_identify(BUNDLED)


def picture(height: int = 240, width: int = 320, seed: int = 0) -> np.ndarray:
    """A smooth random picture: blobs of colour, no two regions alike."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 12, 16, generator=generator)
    fine = nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    return (fine[0].permute(1, 2, 0) * 255).byte().numpy()


BOXES = torch.tensor([[20.0, 30, 80, 170], [100, 40, 180, 200], [210, 20, 300, 120]])


def test_embeddings_have_unit_norm_and_256_columns(embedder: IdentifyEmbedder) -> None:
    embeddings = embedder.embed(embedder.features(picture()), BOXES)
    assert embeddings.shape == (3, embedder.dim) == (3, 256)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(3))


def test_no_boxes_give_no_embeddings(embedder: IdentifyEmbedder) -> None:
    assert embedder.embed(embedder.features(picture()), BOXES[:0]).shape == (0, 256)


def test_a_shifted_box_looks_more_like_itself_than_like_another_place(
    embedder: IdentifyEmbedder,
) -> None:
    features = embedder.features(picture())
    own = embedder.embed(features, BOXES)
    shifted = embedder.embed(features, BOXES + torch.tensor([5.0, 5, 5, 5]))
    likeness = own @ shifted.T
    assert likeness.argmax(dim=1).tolist() == [0, 1, 2]
    assert bool((likeness.diagonal() > 0.8).all())


def test_boxes_are_in_pixels_of_the_frame_whatever_the_network_looks_at(
    embedder: IdentifyEmbedder,
) -> None:
    """A frame shown at twice its size, boxes doubled, is looked at as the frame itself."""
    small = picture(480, 640)
    large = small.repeat(2, axis=0).repeat(2, axis=1)
    boxes = 2 * BOXES
    at_640 = embedder.embed(embedder.features(small), boxes)
    at_1280 = embedder.embed(embedder.features(large), 2 * boxes)
    assert embedder.features(large).stride == 32
    assert bool(((at_640 * at_1280).sum(dim=1) > 0.99).all())


def test_a_crop_looks_like_itself_at_another_size(embedder: IdentifyEmbedder) -> None:
    small = picture(480, 640)
    large = small.repeat(2, axis=0).repeat(2, axis=1)
    own = embedder.embed(embedder.picture(small), 2 * BOXES)
    other = embedder.embed(embedder.picture(large), 4 * BOXES)
    likeness = own @ other.T
    assert likeness.argmax(dim=1).tolist() == [0, 1, 2]
    assert bool((likeness.diagonal() > 0.98).all())


def test_crops_reach_no_further_than_the_frame(embedder: IdentifyEmbedder) -> None:
    """Of a box that reaches out only the part inside counts; one outside is its nearest pixel."""
    frame = embedder.picture(picture())
    out, inside = torch.tensor([[-50.0, 30, 80, 170]]), torch.tensor([[0.0, 30, 80, 170]])
    torch.testing.assert_close(embedder.embed(frame, out), embedder.embed(frame, inside))
    beyond = torch.tensor([[400.0, 300, 450, 350], [-9, -9, -3, -3], [5, 5, 5, 5]])
    torch.testing.assert_close(embedder.embed(frame, beyond).norm(dim=1), torch.ones(3))


def test_no_crops_give_no_embeddings(embedder: IdentifyEmbedder) -> None:
    assert embedder.embed(embedder.picture(picture()), BOXES[:0]).shape == (0, 256)


def test_folding_batch_norm_changes_nothing() -> None:
    torch.manual_seed(0)
    network = IdentifyNetwork()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    network.eval()
    pictures = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        before = network.feature_map(pictures)
        fuse_batch_norm(network)
        after = network.feature_map(pictures)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


def saved(path: Path, **changes: torch.Tensor) -> Path:
    tensors = IdentifyNetwork().state_dict() | changes
    write_safetensors(path, tensors, {"architecture": ARCHITECTURE})
    return path


def test_a_head_of_another_width_is_another_embedding(tmp_path: Path) -> None:
    narrow = saved(
        tmp_path / "narrow.safetensors",
        **{"head.weight": torch.zeros(64, 512), "head.bias": torch.zeros(64)},
    )
    assert load_identify(narrow).dim == 64


def test_weights_of_wrong_shape_are_refused_in_one_line(tmp_path: Path) -> None:
    wrong = saved(tmp_path / "wrong.safetensors", **{"head.weight": torch.zeros(256, 5)})
    with pytest.raises(WeightsError, match=r"head\.weight") as refusal:
        load_identify(wrong)
    assert "\n" not in str(refusal.value)


def test_weights_without_a_head_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "headless.safetensors"
    tensors = IdentifyNetwork().state_dict()
    del tensors["head.weight"]
    write_safetensors(path, tensors, {"architecture": ARCHITECTURE})
    with pytest.raises(WeightsError, match=r"head\.weight"):
        load_identify(path)


def test_a_detector_s_weights_are_no_identify_network() -> None:
    with pytest.raises(WeightsError, match="nanodet-g"):
        load_identify(weights_folder() / "minet-nano-detector.safetensors")


def test_the_card_states_the_file_s_own_checksum_and_size() -> None:
    import hashlib

    card = BUNDLED.with_suffix(".md").read_text()
    content = BUNDLED.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    assert json.loads(content[8 : 8 + length])["__metadata__"]["architecture"] == ARCHITECTURE
    assert hashlib.sha256(content).hexdigest() in card
    assert f"{len(content):,}" in card
