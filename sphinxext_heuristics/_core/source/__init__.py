"""Source: names, definitions and files of packages, read without importing anything."""
