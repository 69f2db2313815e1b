"""The identify network: association embeddings beside any detector (§III.B).

embedding   what both have in common: regions, norm, weights file
network     MobileNetV2 and its head in PyTorch, to be trained and for GPUs
embedder    the `Embedder` contract, by ONNX Runtime where that has the backbone
"""
