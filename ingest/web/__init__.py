"""The web as a source: one address or a folder of a site, politely, and never inside."""
