"""Immutable index generations: SQLite catalogue, tantivy lexical index, vectors."""
