"""The HTTP API (FastAPI): routes by resource, problem+json errors in Italian."""
