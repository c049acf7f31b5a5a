"""PEFT by its name."""

import peft
