"""What a run tells its readers: on the terminal, in a pull request, in a page to browse."""

from eval.report.page import html
from eval.report.steps import markdown_steps, terminal_steps
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
    "markdown_steps",
    "poor_questions",
    "terminal",
    "terminal_comparison",
    "terminal_gates",
    "terminal_steps",
]
