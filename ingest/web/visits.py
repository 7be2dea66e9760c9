"""What servers said of the versions that the index holds, from one ingest to the next.

Kept beside the generations and not in them: it describes the web, and losing it costs transfers,
never a document. `web.json` in the data directory.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from assistant.index.files import write_atomically
from ingest.web.fetch import Validators

logger = logging.getLogger(__name__)

FILE = "web.json"


class Visit(NamedTuple):
    """The last answer of an address that was taken."""

    document_id: str
    final: str
    """Address that answered, after redirects: the only one the validators are meant for."""
    etag: str = ""
    last_modified: str = ""

    @property
    def validators(self) -> Validators:
        return Validators(self.etag, self.last_modified)


def load_visits(data_dir: Path) -> dict[str, Visit]:
    """By canonical address; empty when there is no file, or none that makes sense."""
    try:
        values = json.loads((data_dir / FILE).read_text("utf-8"))
        return {str(url): Visit(*map(str, visit)) for url, visit in values.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        logger.warning("%s is unreadable, addresses are fetched anew: %s", FILE, error)
        return {}


def save_visits(data_dir: Path, visits: Mapping[str, Visit]) -> None:
    text = json.dumps(dict(sorted(visits.items())), ensure_ascii=False, indent=1)
    write_atomically(data_dir / FILE, f"{text}\n".encode())
