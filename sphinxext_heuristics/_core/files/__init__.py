"""What is written beside the site: the index file, the reach file, JSON."""
