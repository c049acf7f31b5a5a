"""Notes as plain data: frozen, shown elsewhere, in Markdown, and their links."""
