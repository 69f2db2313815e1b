"""The meta-training objective (Eq. 3): learn an identifier, ask it about another frame.

The identifier comes out of the closed form of Eq. 2, so the loss reaches the embeddings of the
support set through the solve, and those of the query set through the inner product.
"""

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from minet_core.memory.identifier import closed_form


def meta_loss(
    support: Tensor,
    support_labels: Tensor,
    query: Tensor,
    query_labels: Tensor,
    *,
    ridge: float = 0.1,
    beta: float = 1.0,
) -> Tensor:
    """Eq. 3: the mean smooth L1 distance of the query's association scores from their labels.

    Computed in float64 with autocast off, as the memory's own identifiers are.

    Args:
        support: (..., N_S, D) association embeddings A_S of E episodes.
        support_labels: (..., N_S) InsID labels, 1 for the target and 0 for the rest.
        query: (..., N_Q, D) association embeddings A_Q.
        query_labels: (..., N_Q) likewise.
        ridge: λ of Eq. 1.
        beta: distance at which smooth L1 turns from square to line; the paper gives no figure.

    Returns:
        A scalar, float64.
    """
    identifier = closed_form(support, support_labels, ridge)
    with torch.autocast(query.device.type, enabled=False):
        scores = (query.double() @ identifier.unsqueeze(-1)).squeeze(-1)
        return smooth_l1_loss(scores, query_labels.double(), beta=beta)
