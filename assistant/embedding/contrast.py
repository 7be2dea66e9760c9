"""Second step of the static model: what belongs together is drawn together, the rest apart.

A text is the weighted mean of its words' vectors; those are moved so that each question is nearer
to its own passage than to the other passages of its batch (symmetric InfoNCE, Oord et al. 2018).
Few and small steps: measured on held-out pairs, longer training unlearns what the counts know.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.embedding.identity import Matrix

Pair = tuple[list[int], list[int]]
"""Rows of the words of two texts that belong together."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Settings, chosen on questions held out from the pairs."""

    rounds: int = 4
    batch: int = 512
    rate: float = 1e-3
    temperature: float = 0.05
    question_dropout: float = 0.2
    passage_dropout: float = 0.3
    """Share of a text's words left out each time, so that no single word decides."""
    repeats: int = 3
    """Times that a written pair comes in each round, against once for the rest."""


def refine(
    vectors: Matrix, weights: Matrix, pairs: Sequence[Pair], settings: Contrast, seed: int
) -> Matrix:
    """The vectors after training, shape unchanged; the same input gives the same bytes."""
    import torch
    from torch.nn.functional import cross_entropy, embedding_bag, normalize

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in another order are other sums
    rng = random.Random(seed)
    table = torch.nn.Parameter(torch.from_numpy(np.array(vectors, dtype=np.float32)))
    weight = torch.from_numpy(np.array(weights, dtype=np.float32))
    optimiser = torch.optim.Adam([table], lr=settings.rate)

    def embed(texts: Sequence[list[int]], dropout: float) -> torch.Tensor:
        flat: list[int] = []
        starts: list[int] = []
        for words in texts:
            starts.append(len(flat))
            flat += [word for word in words if rng.random() > dropout] or words
        rows = torch.tensor(flat)
        found = embedding_bag(
            rows, table, torch.tensor(starts), mode="sum", per_sample_weights=weight[rows]
        )
        return normalize(found)

    shuffled = list(pairs)
    for _ in range(settings.rounds):
        rng.shuffle(shuffled)
        for start in range(0, len(shuffled), settings.batch):
            batch = shuffled[start : start + settings.batch]
            if len(batch) < settings.batch // 2:
                continue  # too few others to tell apart
            left = embed([pair[0] for pair in batch], settings.question_dropout)
            right = embed([pair[1] for pair in batch], settings.passage_dropout)
            likeness = left @ right.T / settings.temperature
            own = torch.arange(len(batch))
            loss = (cross_entropy(likeness, own) + cross_entropy(likeness.T, own)) / 2
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    torch.set_num_threads(threads)
    return np.asarray(table.detach().numpy(), dtype=np.float32)
