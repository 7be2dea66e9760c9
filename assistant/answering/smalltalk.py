"""Greetings and thanks: the few messages that are no question about documents."""

from __future__ import annotations

import re

from assistant.italian.analysis import fold

_SMALL_TALK = re.compile(
    r"(ciao|salve|buon ?giorno|buona ?sera|hey|ehi|hello|hi|grazie( mille)?|prego|ok(ay)?|"
    r"chi sei( tu)?|come ti chiami|come stai|come va|arrivederci|raccontami una barzelletta|"
    r"sei un robot|che tempo fa( \w+){0,3})"
)


def is_small_talk(text: str) -> bool:
    """Whether the whole message, punctuation apart, is small talk."""
    bare = re.sub(r"[^\w\s]", " ", fold(text))
    words = " ".join(bare.split())
    return bool(_SMALL_TALK.fullmatch(words) or re.fullmatch(r"(ciao|salve) (grazie|\w+)", words))
