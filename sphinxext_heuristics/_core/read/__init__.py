"""Read: directives make nodes, and each document is collected as plain records."""
