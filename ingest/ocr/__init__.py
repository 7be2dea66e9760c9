"""Optical recognition of scanned pages by tesseract, kept from one ingest to the next."""
