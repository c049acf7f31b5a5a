"""PEFT by its name, and what pip has installed."""

from importlib.metadata import version

import peft
