"""Cannot be imported."""

raise RuntimeError("no device")
