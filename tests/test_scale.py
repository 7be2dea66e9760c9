"""The large index of the benchmark: made the same each time, with filters of known shares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.build import build_generations
from assistant.embedding.load import load_embedder
from assistant.errors import UsageError
from assistant.index.catalog_writer import check_passages
from assistant.index.progress import NoProgress
from assistant.models import Filters
from assistant.settings import Settings
from eval import scale
from eval.scale import HALF, Material, build, narrow, recombined
from tests.test_index import LUGO

MATERIAL = Material(
    sentences=tuple(f"Il servizio numero {n} aiuta le famiglie." for n in range(50)),
    sections=(("Parte prima",), ("Parte seconda", "Servizi"), ()),
    distretti=tuple(f"Distretto {n}" for n in range(40)),
)


def test_the_same_passages_come_out_each_time() -> None:
    first, again = (list(recombined(MATERIAL, 120)) for _ in range(2))
    assert first == again
    assert [len(one.passages) for one in first] == [50, 50, 20]
    for parts in first:
        check_passages(parts.pages, parts.passages)
    other = Material(MATERIAL.sentences[1:], MATERIAL.sections, MATERIAL.distretti)
    assert list(recombined(other, 120)) != first


def test_filters_keep_half_and_one_of_two_hundred() -> None:
    documents = [parts.document for parts in recombined(MATERIAL, 400 * scale.FEWEST)]
    assert sum(one.kind in HALF.kind for one in documents) == 200
    chosen = narrow(documents)
    (distretto,), (year,) = chosen.distretto, chosen.year
    kept = [
        one
        for one in documents
        if one.distretto == distretto and (one.year_from or 0) <= year <= (one.year_to or 0)
    ]
    assert len(kept) == 2


def test_the_index_is_a_real_one(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "corpus")
    embedder = load_embedder("bundled", "", "", cache_dir=tmp_path)
    store = build_generations(settings, embedder=lambda: embedder)
    with store.writer() as writer:
        profile = scale.IndexProfile(embedder.name, embedder.fingerprint, embedder.dimension, "x")
        staging = writer.stage(profile)
        staging.add(LUGO, embedder.embed_passages([p.text for p in LUGO.passages]))
        writer.publish(staging, staging.finish(NoProgress()))
    made = build(settings, settings.data_dir, tmp_path / "large", 130)
    assert (made.passages, made.documents) == (130, 3)
    large = build_generations(Settings(data_dir=tmp_path / "large"), embedder=lambda: embedder)
    backend = large.open_current()
    assert backend.distretti()[0] == "Distretto di prova 1"
    found = backend.nearest(embedder.embed_query("sportello sociale"), 5, Filters())
    assert len(found) == 5 and np.isfinite([one.score for one in found]).all()
    backend.close()
    with pytest.raises(UsageError, match="almeno 50"):
        build(settings, settings.data_dir, tmp_path / "none", 49)
