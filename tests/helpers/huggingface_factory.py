"""Small models of Hugging Face with random weights, saved and loaded as real ones are."""

import json
from pathlib import Path
from typing import Any

import torch

CLASSES = ("cat", "dog", "cow")
_NAMES = dict(enumerate(CLASSES))
LABELS = {"id2label": _NAMES, "label2id": {name: number for number, name in _NAMES.items()}}
_CLIP = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
WORDS = ["forklift", "hard", "hat", "person"]


def save_yolos(folder: Path) -> Any:
    """Eight queries, a distribution over three classes and nothing; pictures of 64 × 64."""
    from transformers import YolosConfig, YolosForObjectDetection, YolosImageProcessor

    torch.manual_seed(0)
    config = YolosConfig(**_CLIP, image_size=[64, 64], num_detection_tokens=8, **LABELS)
    return _save(
        YolosForObjectDetection(config),
        YolosImageProcessor(size={"height": 64, "width": 64}),
        folder,
    )


def save_rtdetr(folder: Path) -> Any:
    """Ten queries with independent scores of three classes; pictures of 64 × 64."""
    from transformers import (
        RTDetrImageProcessor,
        RTDetrResNetConfig,
        RTDetrV2Config,
        RTDetrV2ForObjectDetection,
    )

    torch.manual_seed(0)
    backbone = RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8] * 4,
        depths=[1] * 4,
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = RTDetrV2Config(
        backbone_config=backbone,
        encoder_in_channels=[8] * 3,
        decoder_in_channels=[16] * 3,
        encoder_hidden_dim=16,
        d_model=16,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        decoder_layers=2,
        num_queries=10,
        num_denoising=0,
        **LABELS,
    )
    processor = RTDetrImageProcessor(size={"height": 64, "width": 64})
    return _save(RTDetrV2ForObjectDetection(config), processor, folder)


def save_owl(folder: Path, kind: str) -> Any:
    """A query for each of sixteen patches; `kind` is owlv2 or owlvit."""
    import transformers
    from transformers import CLIPTokenizer

    torch.manual_seed(0)
    prefix = {"owlv2": "Owlv2", "owlvit": "OwlViT"}[kind]
    text = {**_CLIP, "vocab_size": 300, "max_position_embeddings": 16}
    text |= {"bos_token_id": 298, "eos_token_id": 299, "pad_token_id": 0}
    vision = {**_CLIP, "image_size": 64, "patch_size": 16}
    config = getattr(transformers, f"{prefix}Config")(
        text_config=text, vision_config=vision, projection_dim=16
    )
    model = getattr(transformers, f"{prefix}ForObjectDetection")(config)
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps(_letters()))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=16
    )
    image = getattr(transformers, f"{prefix}ImageProcessor")(size={"height": 64, "width": 64})
    processor = getattr(transformers, f"{prefix}Processor")(image, tokenizer)
    return _save(model, processor, folder)


def save_grounding(folder: Path) -> Any:
    """Ten queries with a score of each token of the text."""
    from transformers import (
        BertConfig,
        BertTokenizer,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessor,
        GroundingDinoProcessor,
        SwinConfig,
    )

    torch.manual_seed(0)
    # Its special tokens stand at fixed places of the vocabulary.
    words = [f"[unused{i}]" for i in range(1100)]
    words[0], words[100], words[101], words[102], words[1012] = (
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        ".",
    )
    words[1029:1034] = ["?", *WORDS]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(words))
    tokenizer = BertTokenizer(str(folder / "vocab.txt"))
    swin = SwinConfig(
        embed_dim=8, depths=[1] * 4, num_heads=[1] * 4, window_size=2, image_size=64, patch_size=4
    )
    swin.out_features = ["stage2", "stage3", "stage4"]
    bert = BertConfig(**_CLIP, vocab_size=1100)
    config = GroundingDinoConfig(
        backbone_config=swin,
        text_config=bert,
        num_queries=10,
        encoder_layers=1,
        decoder_layers=2,
        d_model=32,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        num_feature_levels=3,
        max_text_len=16,
    )
    image = GroundingDinoImageProcessor(size={"height": 64, "width": 64})
    processor = GroundingDinoProcessor(image, tokenizer)
    return _save(GroundingDinoForObjectDetection(config), processor, folder)


def _letters() -> dict[str, int]:
    """A vocabulary of single letters, inside of a word and at its end."""
    letters = [chr(code) for code in range(97, 123)]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    vocabulary = {token: number for number, token in enumerate(tokens, 1)}
    return {"!": 0, **vocabulary, "<|startoftext|>": 298, "<|endoftext|>": 299}


def _save(model: Any, processor: Any, folder: Path) -> Any:
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    return model
