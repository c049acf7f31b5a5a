"""Notes: inline markup frozen to plain data and made again elsewhere, its links, its text in Markdown."""
