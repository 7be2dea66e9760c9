"""Truthful reading: file → pages → sections → passages and records → index generation."""
