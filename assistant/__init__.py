"""Index, retrieval, answers with citations, API and command line over plan documents."""
