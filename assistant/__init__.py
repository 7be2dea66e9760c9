"""The assistant over plan documents: index, retrieval, answers with citations, API, command line."""
