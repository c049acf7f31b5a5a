"""Evidence: quoted code against installed source, whether it is still there, and where; nothing is imported."""
