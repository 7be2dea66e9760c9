"""One module a format, each with `read(data, name) -> SourceDocument`; READERS is their table."""
