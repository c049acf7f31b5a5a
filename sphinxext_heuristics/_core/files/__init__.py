"""Files: what is written beside the site and compared on every build: index, reach file, JSON."""
