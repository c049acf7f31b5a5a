"""The index that was kept by hand, the documentation from which it follows."""

from __future__ import annotations

from conftest import sections

#: The hand-kept index from which the project began.
SEED = """\
# Heuristic Index: huggingface_peft

> Tracks Heuristic pages and which pages they apply to.
> **Update IMMEDIATELY** after creating or modifying a Heuristic page.

## Pages

| Page | File | Connections | Notes |
|------|------|-------------|-------|
| huggingface_peft_Gradient_Checkpointing | [→](./heuristics/huggingface_peft_Gradient_Checkpointing.md) | ✅Impl:huggingface_peft_prepare_model_for_kbit_training, ✅Workflow:huggingface_peft_QLoRA_Training, ✅Principle:huggingface_peft_Memory_Optimization | Enable gradient checkpointing for memory savings |
| huggingface_peft_Quantized_Merge_Rounding | [→](./heuristics/huggingface_peft_Quantized_Merge_Rounding.md) | ✅Impl:huggingface_peft_merge_and_unload, ✅Workflow:huggingface_peft_Adapter_Inference, ✅Principle:huggingface_peft_Adapter_Merging | Rounding errors warning for quantized merges |
| huggingface_peft_4bit_Defensive_Clone | [→](./heuristics/huggingface_peft_4bit_Defensive_Clone.md) | ✅Impl:huggingface_peft_BitsAndBytesConfig, ✅Workflow:huggingface_peft_QLoRA_Training | Clone tensor for 4-bit backprop safety |
| huggingface_peft_DoRA_Mixed_Batch_Limitation | [→](./heuristics/huggingface_peft_DoRA_Mixed_Batch_Limitation.md) | ✅Impl:huggingface_peft_LoraConfig, ✅Workflow:huggingface_peft_Multi_Adapter_Management | DoRA incompatible with adapter_names |
| huggingface_peft_Safe_Merge_NaN_Check | [→](./heuristics/huggingface_peft_Safe_Merge_NaN_Check.md) | ✅Impl:huggingface_peft_merge_and_unload, ✅Workflow:huggingface_peft_Adapter_Inference, ✅Principle:huggingface_peft_Adapter_Merging | Use safe_merge=True to detect broken adapters |

---

## Heuristic Categories

| Category | Count | Description |
|----------|-------|-------------|
| Memory Optimization | 2 | Gradient checkpointing, tensor cloning |
| Quantization | 3 | Merge rounding, defensive clone, safe merge |
| Multi-Adapter | 1 | DoRA mixed batch limitation |
| Debugging | 2 | Safe merge NaN check, rounding warnings |

---

**Legend:** `✅Type:Name` = page exists | `⬜Type:Name` = page needs creation
"""

#: The documentation from which the seed follows.
SEED_PROJECT = """\
=== conf.py
extensions = ["myst_parser", "sphinxext_heuristics"]
exclude_patterns = ["_*"]
heuristics_namespace = "huggingface_peft"
heuristics_package = "peft"
heuristics_categories = {
    "Memory Optimization": "Gradient checkpointing, tensor cloning",
    "Quantization": "Merge rounding, defensive clone, safe merge",
    "Multi-Adapter": "DoRA mixed batch limitation",
    "Debugging": "Safe merge NaN check, rounding warnings",
}
heuristics_index_file = "_HeuristicIndex.md"
=== index.rst
PEFT
====

.. toctree::

   api
   guides/index
   heuristics/index
=== api.rst
API
===

.. py:function:: peft.prepare_model_for_kbit_training(model)

.. py:class:: peft.LoraConfig

.. py:class:: transformers.BitsAndBytesConfig

.. py:class:: peft.LoraModel

   .. py:method:: merge_and_unload()

.. py:class:: peft.PeftMixedModel

   .. py:method:: merge_and_unload()
=== guides/index.md
# Guides

```{toctree}
qlora-training
adapter-inference
multi-adapter-management
memory-optimization
adapter-merging
```
=== guides/qlora-training.md
# Train
=== guides/adapter-inference.md
# Infer
=== guides/multi-adapter-management.md
# Manage
=== guides/memory-optimization.md
# Memory
=== guides/adapter-merging.md
# Merge
=== heuristics/index.md
# Heuristics

```{toctree}
huggingface_peft_Gradient_Checkpointing
huggingface_peft_Quantized_Merge_Rounding
huggingface_peft_4bit_Defensive_Clone
huggingface_peft_DoRA_Mixed_Batch_Limitation
huggingface_peft_Safe_Merge_NaN_Check
```
=== heuristics/huggingface_peft_Gradient_Checkpointing.md
```{heuristic} Gradient_Checkpointing
:note: Enable gradient checkpointing for memory savings
:impl: peft.prepare_model_for_kbit_training
:workflow: QLoRA_Training
:principle: Memory_Optimization
:category: Memory Optimization
```
=== heuristics/huggingface_peft_Quantized_Merge_Rounding.md
```{heuristic} Quantized_Merge_Rounding
:note: Rounding errors warning for quantized merges
:impl: ~peft.LoraModel.merge_and_unload, ~peft.PeftMixedModel.merge_and_unload
:workflow: Adapter_Inference
:principle: Adapter_Merging
:category: Quantization, Debugging
```
=== heuristics/huggingface_peft_4bit_Defensive_Clone.md
```{heuristic} 4bit_Defensive_Clone
:note: Clone tensor for 4-bit backprop safety
:impl: ~transformers.BitsAndBytesConfig
:workflow: QLoRA_Training
:category: Memory Optimization, Quantization
```
=== heuristics/huggingface_peft_DoRA_Mixed_Batch_Limitation.md
```{heuristic} DoRA_Mixed_Batch_Limitation
:note: DoRA incompatible with adapter_names
:impl: peft.LoraConfig
:workflow: Multi_Adapter_Management
:category: Multi-Adapter
```
=== heuristics/huggingface_peft_Safe_Merge_NaN_Check.md
```{heuristic} Safe_Merge_NaN_Check
:note: Use safe_merge=True to detect broken adapters
:impl: merge_and_unload <*.merge_and_unload>
:workflow: Adapter_Inference
:principle: Adapter_Merging
:category: Quantization, Debugging
```
"""

INDEX = "_HeuristicIndex.md"
PAGE = "heuristics/huggingface_peft_4bit_Defensive_Clone.md"


def seed_files() -> dict[str, str]:
    return {**sections(SEED_PROJECT), INDEX: SEED}
