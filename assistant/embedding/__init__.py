"""Texts to vectors: the bundled static Italian model, or any sentence-transformers model."""
