"""Sphinx builds PEFT's own pages, unmodified, with the heuristics beside them.

Put it into a copy of PEFT's ``docs/source``, and this repository's ``heuristics`` into
a folder of that name there.
"""

from __future__ import annotations

from importlib.metadata import version as installed_version

project = "PEFT"
author = "The Hugging Face team"
project_copyright = f"2022, {author}"
version = release = installed_version("peft")

extensions = ["sphinxext_heuristics", "sphinxext_heuristics.docbuilder"]
# the heuristics are written for MyST; PEFT's own pages keep doc-builder's syntax
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "fieldlist"]
docbuilder_trees = {"": "peft"}
# docstrings in Hugging Face's style: transformers' too, because PEFT's classes inherit
# some
docbuilder_packages = ["peft", "transformers"]

heuristics_namespace = "huggingface_peft"
heuristics_package = "peft"
heuristics_categories = {
    "Memory Optimization": "Gradient checkpointing, tensor cloning, upcasting",
    "Quantization": "Merge rounding, defensive clone, safe merge, bases that cannot be "
    "merged",
    "Multi-Adapter": "DoRA mixed batch limitation, switching, combining and mixing "
    "adapters",
    "Debugging": "Safe merge NaN check, rounding warnings, silent mistakes",
    "Inference & Merging": "Merging, tied weights, hot-swapping",
    "Training": "What is trained, and how strongly",
    "Saving & Loading": "What an adapter file holds, and what loading it does",
    "Compatibility": "Other versions and backends",
}
# the heuristics name pages of another site: what fits here
heuristics_targets = {
    "Adapter_Checkpoints": "developer_guides/checkpoint",
    "Adapter_Hotswapping": "package_reference/hotswap",
    "Adapter_Inference": "quicktour#inference",
    "Adapter_Merging": "package_reference/lora#merge-lora-weights-into-the-base-model",
    "Cannot_Be_Imported": None,
    "Update_First": "developer_guides/troubleshooting#version-mismatch",
    "Fixed_Elsewhere": "developer_guides/troubleshooting#version-mismatch",
    "Methods": None,
    "Method_By_Method": None,
    "Older_Code": None,
    "Is_It_Fixed": "developer_guides/troubleshooting#version-mismatch",
    "Bitsandbytes": "developer_guides/quantization#quantize-a-model",
    "DeepSpeed": "accelerate/deepspeed",
    "Diffusion_Models": None,
    "Does_Not_Learn": (
        "developer_guides/troubleshooting#training-runs-but-the-model-does-not-improve"
    ),
    "Distributed_Training": "accelerate/fsdp",
    "Is_Slow": "developer_guides/memory_efficient_training",
    "How_Do_I": None,
    "Is_It_Possible": None,
    "Loading_Fails": "developer_guides/troubleshooting#version-mismatch",
    "Generation_Surprises": "quicktour#inference",
    "LoRA_Training": "package_reference/lora#training",
    "Low_Rank_Adaptation": "package_reference/lora",
    "Merging": "package_reference/lora#merge-lora-weights-into-the-base-model",
    "Merge_A_Prompt": None,
    "Memory_Optimization": "developer_guides/memory_efficient_training",
    "Mixed_Batches": (
        "package_reference/lora"
        "#inference-with-different-lora-adapters-in-the-same-batch"
    ),
    "Multi_Adapter_Management": "package_reference/lora#load-adapters",
    "Out_Of_Memory": "developer_guides/memory_efficient_training",
    "Output_Of_The_Base": "developer_guides/troubleshooting#incorrectly-loaded-model",
    "Prompt_Classify": None,
    "Prompt_Does_Not_Learn": None,
    "Prompt_Encoder_Decoder": None,
    "Prompt_Shapes": None,
    "QLoRA_Training": "developer_guides/quantization#qlora-style-training",
    "Quantization_Backends": "developer_guides/quantization",
    "Reloaded_Model": (
        "developer_guides/troubleshooting#bad-results-from-a-loaded-peft-model"
    ),
    "Saved_Files": "developer_guides/checkpoint",
    "Saving_And_Loading": "guides/peft_model_config#peft-models",
    "Several_Devices": "accelerate/fsdp",
    "Training_Stops": "developer_guides/troubleshooting",
    "Worse_After_Merging": (
        "package_reference/lora#merge-lora-weights-into-the-base-model"
    ),
    "Wrong_After_Loading": (
        "developer_guides/troubleshooting#bad-results-from-a-loaded-peft-model"
    ),
    "guides/qlora-training#layers-of-your-own": None,
    # sections that PEFT has no like of
    "Dtypes_Do_Not_Match": None,
    "Loss_Is_NaN": None,
    "Worse_Than_Full_Fine_Tuning": None,
    "No_Eval_Loss": None,
    "Resume_Training": None,
    "Device_Side_Assert": None,
    "Does_Not_Require_Grad": None,
    "A_Soft_Prompt_Does_Not_Learn": None,
    "Quantized_Bases": None,
    "Sharded_Training": None,
    "Compile_An_Adapter": None,
}
# PEFT's pages list an inherited method only where its docstring differs, and leave out
# helpers
heuristics_undocumented = "planned"
heuristics_rollup = True
heuristics_source_url = (
    "https://github.com/huggingface/peft/blob/v{version}/src/{path}#L{line}"
)

html_theme = "furo"
html_title = f"PEFT {release}"
maximum_signature_line_length = 100
