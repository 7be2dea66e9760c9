"""Evaluation: asks the assistant like any user and scores what comes back."""
