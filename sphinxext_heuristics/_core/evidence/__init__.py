"""Evidence: where quoted code is in installed source, which is not imported."""
