"""What users say of an answer."""

from __future__ import annotations

from fastapi import APIRouter

from assistant.api.deps import TheConversations, TheMetrics
from assistant.api.shapes import FeedbackBody
from assistant.models import Feedback

router = APIRouter(tags=["feedback"])


@router.post("/v1/feedback", status_code=201)
def give(body: FeedbackBody, conversations: TheConversations, metrics: TheMetrics) -> Feedback:
    given = conversations.give_feedback(body.message_id, body.reason, body.comment)
    metrics.feedback.labels(body.reason).inc()
    return given
