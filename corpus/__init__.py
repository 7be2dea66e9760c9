"""The bundled documents, written by the project, and the script that builds their binary forms."""
