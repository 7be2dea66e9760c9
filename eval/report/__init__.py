"""What a run tells its readers: on the terminal, in a pull request, in a page to browse."""

from eval.report.page import html
from eval.report.tables import Comparison, GateResult, markdown, poor_questions, terminal

__all__ = ["Comparison", "GateResult", "html", "markdown", "poor_questions", "terminal"]
