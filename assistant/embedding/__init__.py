"""Texts to vectors: the bundled Italian model, or a sentence-transformers one."""
