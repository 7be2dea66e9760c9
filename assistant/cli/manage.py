"""`piano status` and `rollback`: what the index holds, and the way back."""

from __future__ import annotations

import json
from dataclasses import asdict

from assistant.build import build_generations
from assistant.cli.options import DataDir, Json, settings_for


def status(data_dir: DataDir = None, json_: Json = False) -> int:
    found = build_generations(settings_for(data_dir)).status()
    if json_:
        print(json.dumps(asdict(found), ensure_ascii=False))
        return 0
    if found.generation is None:
        print("Indice: nessuno. Esegui `piano ingest` per caricare i documenti.")
    else:
        print(f"Generazione: {found.generation}")
        print(
            f"Documenti: {found.documents} · pagine: {found.pages} · passi: {found.passages} · "
            f"schede: {found.schede} · interventi: {found.interventi}"
        )
        print(
            f"Modello di embedding: {found.embedding} (ricerca vettoriale: {found.vector_search})"
        )
    print(f"Modello linguistico: {found.chat_model or 'nessuno (risposte testuali)'}")
    if found.writer:
        print("In scrittura: " + ", ".join(f"{k} {v}" for k, v in found.writer.items()))
    print(f"Cartella dei dati: {found.data_dir} ({found.disk_bytes / 1e6:.1f} MB)")
    return 0


def rollback(data_dir: DataDir = None, json_: Json = False) -> int:
    generation = build_generations(settings_for(data_dir)).rollback()
    if json_:
        print(json.dumps({"generation": generation}))
    else:
        print(f"Ora è in uso la generazione {generation}.")
    return 0
