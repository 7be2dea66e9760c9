"""A run for people: terminal tables, a Markdown summary, one HTML page. All in Italian."""

from eval.report.page import html
from eval.report.tables import markdown, poor_questions, terminal

__all__ = ["html", "markdown", "poor_questions", "terminal"]
