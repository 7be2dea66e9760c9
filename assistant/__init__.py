"""Index, retrieval, answers with citations, API, command line."""
