"""Weights files: what is written comes back, and anything unsafe or damaged is one clear line."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from minet_core.errors import WeightsError
from minet_core.models.weights import (
    assign_weights,
    read_safetensors,
    weights_folder,
    write_safetensors,
)

TENSORS = {"half": torch.tensor([0.5, -2.0], dtype=torch.float16), "count": torch.tensor([3])}


def test_floats_come_back_as_float32_and_integers_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    write_safetensors(file, TENSORS, {"name": "x"})
    metadata, tensors = read_safetensors(file)
    assert metadata == {"name": "x"}
    torch.testing.assert_close(tensors["half"], torch.tensor([0.5, -2.0]))
    assert tensors["count"].dtype == torch.int64


def test_same_content_same_bytes(tmp_path: Path) -> None:
    metadata = {f"key{number}": "value" for number in range(20)}
    files = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    write_safetensors(files[0], TENSORS, metadata)
    write_safetensors(files[1], TENSORS, dict(reversed(metadata.items())))
    assert files[0].read_bytes() == files[1].read_bytes()


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def no_header(file: Path) -> None:
    file.write_bytes(b"\x05\0\0\0\0\0\0\0{oops")


def endless_header(file: Path) -> None:
    file.write_bytes((200_000_000).to_bytes(8, "little") + b"{}")


def not_finite(file: Path) -> None:
    write_safetensors(file, {"weight": torch.tensor([1.0, float("nan")])}, {})


def missing(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("harm", [truncated, no_header, endless_header, not_finite, missing])
def test_harmed_file_is_one_line(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    file = tmp_path / "a.safetensors"
    write_safetensors(file, TENSORS, {})
    harm(file)
    with pytest.raises(WeightsError) as caught:
        read_safetensors(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)


def test_pickle_is_refused_unopened(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="weights_only=True"):
        read_safetensors(tmp_path / "never-opened.pth")


def test_onnx_is_refused_as_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"a\.onnx: ONNX is run, .* a \.safetensors file$"):
        read_safetensors(tmp_path / "a.onnx")


def test_assigning_replaces_a_model_built_on_meta() -> None:
    with torch.device("meta"):
        model = nn.Linear(2, 1)
    assign_weights("file", model, {"weight": torch.ones(1, 2), "bias": torch.ones(1)})
    assert model(torch.tensor([[1.0, 2.0]])).item() == 4.0


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"weight": torch.ones(1, 2)}, "1 tensors do not fit Linear, first bias: missing"),
        ({"weight": torch.ones(1, 3), "bias": torch.ones(1)}, r"float32 \(1, 3\) instead of"),
        ({"weight": torch.ones(1, 2).int(), "bias": torch.ones(1)}, r"weight: int32 \(1, 2\)"),
        (
            {"weight": torch.ones(1, 2), "bias": torch.ones(1), "more": torch.ones(1)},
            r"first more: float32 \(1,\) instead of nothing",
        ),
    ],
)
def test_tensors_must_fit(tensors: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        assign_weights("file", nn.Linear(2, 1), tensors)


def test_bundled_weights_are_beside_the_package() -> None:
    assert (weights_folder() / "minet-nano-detector.safetensors").is_file()
