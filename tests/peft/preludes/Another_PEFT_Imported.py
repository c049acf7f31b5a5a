"""PEFT and Python's own module by their names."""

import sys

import peft
