"""What a run tells its readers: on the terminal, in a pull request, in a page to browse."""

from eval.report.page import html
from eval.report.tables import (
    markdown,
    poor_questions,
    terminal,
    terminal_comparison,
    terminal_gates,
)

__all__ = [
    "html",
    "markdown",
    "poor_questions",
    "terminal",
    "terminal_comparison",
    "terminal_gates",
]
