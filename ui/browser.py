"""What Streamlit's own page lacks, added in the browser: Italian words and announcements.

Streamlit writes its controls' names in English and says that the whole page is. Nothing here is
needed for the page to work.
"""

from __future__ import annotations

import json

WORDS = {
    "App pages": "Pagine",
    "Clear all": "Togli tutto",
    "Clear value": "Togli",
    "Close": "Chiudi",
    "Collapse sidebar": "Nascondi la barra laterale",
    "Expand sidebar": "Mostra la barra laterale",
    "Main menu": "Menu",
    "No options to select": "Nessuna voce",
    "No results": "Nessun risultato",
    "Open": "Apri",
    "Running...": "In corso…",
    "Send message": "Invia la domanda",
    "Sidebar": "Barra laterale",
    "Skip to main content": "Vai al contenuto",
    "Step down": "Diminuisci",
    "Step up": "Aumenta",
    "Stop": "Ferma",
    "Decrement": "Diminuisci",
    "Increment": "Aumenta",
    "Connection error": "Collegamento interrotto",
    "Page not found": "Pagina non trovata",
}
"""Streamlit's names of things, and ours: attributes, and texts that are nothing else."""

_SCRIPT = """
document.documentElement.lang = 'it';
if (!window.piano) {
  window.piano = true;
  const words = WORDS;
  const names = ['aria-label', 'title', 'alt'];
  const leaves = 'a, button p, button span, button div, li, h1, h2';
  const ours = '.answer, .citation, .context';
  const translate = () => {
    for (const element of document.querySelectorAll('[aria-label], [title], [alt]')) {
      if (element.closest(ours)) continue;
      for (const name of names) {
        const word = words[element.getAttribute(name)];
        if (word) element.setAttribute(name, word);
      }
    }
    for (const element of document.querySelectorAll(leaves)) {
      if (element.childElementCount || element.closest(ours)) continue;
      const word = words[element.textContent];
      if (word) element.textContent = word;
    }
  };
  const live = document.createElement('div');
  live.className = 'spoken';
  live.setAttribute('role', 'status');
  document.body.append(live);
  let answers = null;
  const announce = () => {
    const found = document.querySelectorAll('[data-testid="stChatMessage"] .complete');
    if (answers !== null && found.length > answers) {
      live.textContent = found[found.length - 1].innerText;
    }
    answers = found.length;
  };
  let waiting = false;
  new MutationObserver(() => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => { waiting = false; translate(); announce(); }, 100);
  }).observe(document.body, {childList: true, subtree: true, attributes: true,
    attributeFilter: names});
  translate();
}
"""
SCRIPT = f"<script>{_SCRIPT.replace('WORDS', json.dumps(WORDS, ensure_ascii=False))}</script>"
