"""An accelerator of one process, and what it prepared."""

from accelerate import Accelerator

accelerator = Accelerator(cpu=True)
model = accelerator.prepare(model)
