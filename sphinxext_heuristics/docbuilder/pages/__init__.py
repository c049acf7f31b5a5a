"""Pages written for doc-builder, under Sphinx."""
