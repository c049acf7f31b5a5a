"""Read: directives make nodes, autodoc tells identities, and each document is collected as plain records."""
