"""Reading documents truthfully: file → pages → sections → passages and records → index generation."""
