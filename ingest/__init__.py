"""Truthful reading: from files to pages, passages, records, a new generation."""
