"""Exports of content systems and archives of pages, one module a format; ``packed`` opens what is compressed."""
