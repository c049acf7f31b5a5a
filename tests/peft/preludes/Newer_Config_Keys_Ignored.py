"""An adapter that a newer PEFT saved, with a setting that this one does not know."""

import json
import shutil
import warnings
from pathlib import Path

shutil.copytree(ADAPTER, "newer")
path = Path("newer/adapter_config.json")
newer = {"use_next_idea": True, "peft_version": "99.0.0"}
path.write_text(json.dumps(json.loads(path.read_text()) | newer))
