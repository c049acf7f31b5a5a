"""Bugs that a newer release has fixed: the tables of the guide, and what works now."""

from __future__ import annotations

import copy
import inspect
import json
import os
import re
import runpy
import subprocess
import sys
from importlib.metadata import distribution, version
from typing import TYPE_CHECKING

import peft
import pytest
import torch
import transformers
from conftest import ROOT
from peft import (
    AdaLoraConfig,
    IA3Config,
    LoKrConfig,
    LoKrModel,
    LoraConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptTuningConfig,
    VeraConfig,
    get_peft_model,
)
from peft.tuners.lora import LoraLayer
from peft.utils import loftq_utils
from torch import nn
from transformers.pytorch_utils import Conv1D

from claims.models import claim, llama

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOOL = runpy.run_path(str(ROOT / "tools/fixed.py"))
FOUND = json.loads((ROOT / "docs/guides/fixed.json").read_text(encoding="utf-8"))
GUIDE = (ROOT / "docs/guides/update-first.md").read_text(encoding="utf-8")

update_first = claim("Update_First")
another = claim("Another_PEFT_Imported")
old_package = claim("Old_Package_Stops_LoRA")
versions_that_fit = claim("Versions_That_Fit")
loftq = claim("LoftQ_Alpha_And_GPU")

#: A model of one layer with an adapter.
SMALL = """
import torch, peft
print("imported")
base = torch.nn.Sequential(torch.nn.Linear(4, 4))
peft.get_peft_model(base, peft.LoraConfig(target_modules=["0"]))
print("adapted")
"""


def run(code: str, *folders: Path, cwd: Path | None = None) -> tuple[str, str]:
    """Return the output of code and its last error, with folders before all others."""
    path = os.pathsep.join(map(str, folders))
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    error = done.stderr.strip().splitlines()[-1:] if done.returncode else []
    return done.stdout, "".join(error)


def package(folder: Path, name: str, release: str, code: str = "") -> Path:
    """Write a package into a folder, as pip would."""
    info = folder / f"{name}-{release}.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n", encoding="utf-8"
    )
    folder.joinpath(name).mkdir()
    folder.joinpath(name, "__init__.py").write_text(code, encoding="utf-8")
    return folder


# -- the tables -----------------------------------------------------------------------


@update_first
def test_the_guides_have_a_table_for_each_topic() -> None:
    for guide, is_own in (("update-first", True), ("fixed-elsewhere", False)):
        text = (ROOT / f"docs/guides/{guide}.md").read_text(encoding="utf-8")
        shown = re.findall(r"^```\{fixed-bugs\} (\w+) (\w+)$", text, re.MULTILINE)
        topics = {
            bug["topic"]
            for bug in FOUND["bugs"].values()
            if (bug["package"] == "peft") is is_own
        }
        packages = "peft" if is_own else "others"
        assert sorted(shown) == [(packages, topic) for topic in sorted(topics)]
    assert f"## What is not fixed in PEFT {version('peft')}?\n" in GUIDE


@update_first
def test_the_installed_release_has_none_of_these_bugs() -> None:
    def source(path: str) -> str:
        file = distribution("peft").locate_file(path)
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    # Where "until" is, the code was changed again later.
    ours = {
        name: bug
        for name, bug in FOUND["bugs"].items()
        if bug["package"] == "peft" and "until" not in bug
    }
    assert len(ours) > 50
    assert [name for name, bug in ours.items() if TOOL["has_bug"](bug, source)] == []


@update_first
def test_more_than_a_quarter_of_the_threads_is_fixed() -> None:
    text = (ROOT / "tests/peft/threads.json").read_text(encoding="utf-8")
    upgrades = [thread["upgrade"] for thread in json.loads(text)["threads"]]
    assert sum(upgrades) > len(upgrades) / 4


@update_first
def test_a_bug_is_found_by_what_a_release_has_and_lacks() -> None:
    bug = {"has": {"a.py|b.py": "x  = 1"}, "lacks": {"a.py": "y = 2"}}
    has_bug = TOOL["has_bug"]
    assert has_bug(bug, {"a.py": "x = 1\n", "b.py": ""}.__getitem__)
    assert has_bug(bug, {"a.py": "z", "b.py": "x =\n    1"}.__getitem__)
    assert not has_bug(bug, {"a.py": "x = 1\ny = 2", "b.py": ""}.__getitem__)
    assert not has_bug(bug, {"a.py": "", "b.py": "x = 1"}.__getitem__)


@update_first
def test_the_newest_python_gets_the_installed_release() -> None:
    assert [*FOUND["python"].values()][-1][1] == version("peft")


# -- what works now -------------------------------------------------------------------


def trainable(model: nn.Module) -> int:
    return sum(it.numel() for it in model.parameters() if it.requires_grad)


@update_first
@pytest.mark.parametrize("bits", [4, 8])
def test_an_adapter_with_a_name_is_trainable_on_a_quantized_model(
    quantized: Callable[..., nn.Module], bits: int
) -> None:
    config = LoraConfig(target_modules=["q_proj"])
    model = get_peft_model(quantized(bits), config, adapter_name="abc")
    assert trainable(model) > 0
    model.add_adapter("second", config)
    model.add_adapter("by-string", LoraConfig(target_modules=r".*\.q_proj"))
    assert [*model.peft_config] == ["abc", "second", "by-string"]
    model.merge_and_unload(safe_merge=True)


@update_first
def test_methods_start_and_load_as_they_should(tmp_path: Path) -> None:
    ids = torch.arange(3, 11).reshape(1, 8)
    base = llama().eval()
    with torch.no_grad():
        before = base(ids).logits
    config = AdaLoraConfig(target_modules=["q_proj"], total_step=10)
    model = get_peft_model(base, config).eval()
    with torch.no_grad():
        assert torch.equal(model(ids).logits, before)

    get_peft_model(llama(), VeraConfig(target_modules=["q_proj", "up_proj"]))

    config = IA3Config(
        target_modules=["q_proj", "down_proj"], feedforward_modules=["down_proj"]
    )
    get_peft_model(llama(), config).save_pretrained(tmp_path)
    loaded = PeftModel.from_pretrained(llama(), tmp_path)
    assert loaded.peft_config["default"].target_modules == {"q_proj", "down_proj"}


@update_first
def test_prefix_tuning_knows_grouped_queries() -> None:
    tiny = transformers.LlamaConfig(
        vocab_size=64,
        hidden_size=32,
        head_dim=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    base = transformers.LlamaForCausalLM(tiny)
    config = PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
    ids = torch.arange(3, 11).reshape(1, 8)
    model = get_peft_model(base, config)
    assert (
        model(input_ids=ids, attention_mask=torch.ones_like(ids))
        .logits.isfinite()
        .all()
    )


class Headed(nn.Module):
    """A layer, and a head with LoRA's prefix in its name."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.lora_head = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.lora_head(self.layer(x))


@update_first
def test_a_head_with_the_prefix_in_its_name_is_loaded(tmp_path: Path) -> None:
    config = LoraConfig(target_modules=["layer"], modules_to_save=["lora_head"])
    model = get_peft_model(Headed(), config)
    head = model.base_model.model.lora_head.modules_to_save["default"]
    nn.init.constant_(head.weight, 7.0)
    model.save_pretrained(tmp_path)
    loaded = PeftModel.from_pretrained(Headed(), tmp_path)
    head = loaded.base_model.model.lora_head.modules_to_save["default"]
    assert (head.weight == 7).all()


def scales(model: nn.Module) -> list[float]:
    """Return the scale of each layer with an adapter."""
    layers = [it for it in model.modules() if isinstance(it, LoraLayer)]
    return [layer.scaling["default"] for layer in layers]


@update_first
@pytest.mark.parametrize("key", ["^q_proj", "base_model.model.model.layers.0"])
def test_keys_of_patterns_that_match_nothing_warn(key: str) -> None:
    config = LoraConfig(r=4, target_modules=["q_proj"], alpha_pattern={key: 100})
    with pytest.warns(match="keys did not match any targeted module"):
        model = get_peft_model(llama(num_hidden_layers=2), config)
    assert scales(model) == [2.0, 2.0]


@update_first
@pytest.mark.parametrize(
    ("key", "expected"),
    [("q_proj", [25.0, 25.0]), ("layers.0.self_attn.q_proj", [25.0, 2.0])],
)
def test_keys_of_patterns_are_names_or_their_ends(
    key: str, expected: list[float]
) -> None:
    config = LoraConfig(r=4, target_modules=["q_proj"], alpha_pattern={key: 100})
    assert scales(get_peft_model(llama(num_hidden_layers=2), config)) == expected


@update_first
def test_generate_of_an_encoder_decoder_takes_names_only() -> None:
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    tiny = transformers.T5Config(vocab_size=64, decoder_start_token_id=0, **sizes)
    base = transformers.T5ForConditionalGeneration(tiny)
    config = LoraConfig(task_type="SEQ_2_SEQ_LM", target_modules=["q"])
    model = get_peft_model(base, config)
    ids = torch.arange(3, 11).reshape(1, 8)
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        model.generate(ids)
    assert len(model.generate(input_ids=ids, max_new_tokens=2)) == 1


class Experts(nn.Module):
    """Two experts, which only count here."""

    def __init__(self) -> None:
        super().__init__()
        self.experts = nn.ModuleList(
            nn.ModuleDict({"up": nn.Linear(4, 4)}) for _number in range(2)
        )


@update_first
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ["layers.0.experts.1.up", "layers.1.experts.1.up"]),
        (
            {"layers_pattern": "layers"},
            ["layers.1.experts.0.up", "layers.1.experts.1.up"],
        ),
    ],
)
def test_experts_are_taken_for_layers_at_the_top(
    more: dict[str, str], expected: list[str]
) -> None:
    base = nn.ModuleDict({"layers": nn.ModuleList([Experts(), Experts()])})
    config = LoraConfig(target_modules=["up"], layers_to_transform=[1], **more)
    assert get_peft_model(base, config).targeted_module_names == expected


@update_first
def test_a_negative_weight_subtracts_and_cat_is_the_sum() -> None:
    config = LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights=False)
    model = get_peft_model(llama(), config)
    model.add_adapter("other", config)
    names = ["default", "other"]
    model.add_weighted_adapter(["default"], [-1.0], "minus", combination_type="linear")
    model.add_weighted_adapter(names, [1.0, -1.0], "cat", combination_type="cat")
    model.add_weighted_adapter(names, [1.0, -1.0], "lin", combination_type="linear")
    layer = model.base_model.model.model.layers[0].self_attn.q_proj
    one, two = map(layer.get_delta_weight, names)
    assert torch.allclose(layer.get_delta_weight("minus"), -one, atol=1e-5)
    assert torch.allclose(layer.get_delta_weight("cat"), one - two, atol=1e-5)
    assert not torch.allclose(layer.get_delta_weight("lin"), one - two, atol=1e-2)


@update_first
def test_set_scale_knows_rslora_and_a_model_compiles_as_one_graph() -> None:
    base = nn.Sequential(nn.Linear(4, 4))
    config = LoraConfig(r=4, lora_alpha=8, use_rslora=True, target_modules=["0"])
    model = get_peft_model(base, config)
    layer = model.base_model.model[0]
    layer.set_scale("default", 0.5)
    assert layer.scaling["default"] == 0.5 * 8 / 4**0.5

    def scaled(x: torch.Tensor) -> torch.Tensor:
        layer.scale_layer(0.5)
        out = model(x)
        layer.unscale_layer(0.5)
        return out

    compiled = torch.compile(scaled, backend="eager", fullgraph=True)
    assert torch.equal(compiled(torch.ones(1, 4)), scaled(torch.ones(1, 4)))


@update_first
def test_a_model_without_adapter_for_its_head_is_unloaded() -> None:
    config = LoraConfig(target_modules=["layer"], modules_to_save=["lora_head"])
    model = get_peft_model(Headed(), config)
    model.add_adapter("plain", LoraConfig(target_modules=["layer"]))
    model.set_adapter("plain")
    assert type(model.unload().lora_head) is nn.Linear


class Layers(nn.Module):
    """Three layers, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 4)
        self.third = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.third(self.second(self.first(x)))


def trained(model: nn.Module) -> nn.Module:
    """Return a model whose adapter is not what it was at the start."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.normal_()
    return model


@update_first
def test_adapters_may_have_different_modules_to_save(tmp_path: Path) -> None:
    x = torch.ones(1, 4)
    base = Layers()
    expected = {"none": base(x)}
    for name in ("second", "third"):
        config = LoraConfig(target_modules=["first"], modules_to_save=[name])
        model = trained(get_peft_model(copy.deepcopy(base), config))
        model.save_pretrained(tmp_path / name)
        expected[name] = model(x)
        with model.disable_adapter():
            assert torch.equal(model(x), expected["none"])
    model = PeftModel.from_pretrained(base, tmp_path / "second", "for_second_0")
    model.load_adapter(tmp_path / "third", "for_third_0")
    for name in ("second", "third", "second"):
        model.set_adapter(f"for_{name}_0")
        assert torch.allclose(model(x), expected[name], atol=1e-5)
        model.base_model.disable_adapter_layers()
        assert torch.equal(model(x), expected["none"])
        model.base_model.enable_adapter_layers()


@update_first
def test_a_classifier_beside_an_adapter_without_task_type(tmp_path: Path) -> None:
    base = llama(transformers.LlamaForSequenceClassification)
    for name, more in (("headed", {"task_type": "SEQ_CLS"}), ("plain", {})):
        config = LoraConfig(target_modules=["q_proj"], **more)
        get_peft_model(copy.deepcopy(base), config).save_pretrained(tmp_path / name)
    model = PeftModel.from_pretrained(base, tmp_path / "headed")
    with pytest.raises(KeyError, match="score"):
        model.load_adapter(tmp_path / "plain", "plain")


@update_first
def test_rank_and_alpha_have_patterns_of_their_own() -> None:
    config = LoraConfig(
        r=4,
        target_modules=["q_proj"],
        rank_pattern={"q_proj": 2},
        alpha_pattern={"self_attn.q_proj": 64},
    )
    assert scales(get_peft_model(llama(num_hidden_layers=1), config)) == [32.0]


@update_first
@pytest.mark.parametrize("sizes", [(8, 4), (4, 4)])
def test_dora_unmerges_from_conv1d(sizes: tuple[int, int]) -> None:
    config = LoraConfig(target_modules=["0"], use_dora=True, fan_in_fan_out=True)
    base = nn.Sequential(Conv1D(*sizes))
    x = torch.ones(1, sizes[1])
    before, weight = base(x), base[0].weight.detach().clone()
    model = trained(get_peft_model(base, config))
    model.merge_adapter()
    with model.disable_adapter():
        assert torch.allclose(model(x), before, atol=1e-4)
    model.merge_adapter()
    model.unmerge_adapter()
    got = model.base_model.model[0].get_base_layer().weight
    assert torch.allclose(got, weight, atol=1e-4)


@update_first
@claim("Fused_Experts_Need_Target_Parameters")
def test_several_adapters_may_have_the_same_target_parameters() -> None:
    def config(*names: str) -> LoraConfig:
        return LoraConfig(target_modules=[], target_parameters=[*names])

    x = torch.ones(1, 4)
    model = trained(get_peft_model(Layers(), config("first.weight")))
    first = model(x)
    model.add_adapter("other", config("first.weight"))
    model.set_adapter("other")
    other = trained(model)(x)
    model.set_adapter("default")
    assert torch.equal(model(x), first)
    assert not torch.allclose(other, first)
    with pytest.raises(ValueError, match="must target the same set of parameters"):
        model.add_adapter("third", config("second.weight"))


@update_first
def test_the_head_is_trained_with_a_prompt() -> None:
    base = llama(transformers.LlamaForSequenceClassification, pad_token_id=0)
    config = PromptTuningConfig(task_type="SEQ_CLS", num_virtual_tokens=2)
    model = get_peft_model(base, config)
    ids = torch.arange(3, 11).reshape(1, 8)
    model(
        input_ids=ids, attention_mask=torch.ones_like(ids), labels=torch.tensor([1])
    ).loss.backward()
    learning = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is not None and parameter.grad.abs().max() > 0
    ]
    assert any("score.modules_to_save" in name for name in learning)


class QuantLinear(nn.Module):
    """A layer of AutoGPTQ, as far as PEFT sees it."""


@update_first
def test_layers_of_autogptq_are_not_known() -> None:
    config = LoraConfig(target_modules=["0"])
    with pytest.raises(ValueError, match=r"Target module QuantLinear\(\) is not"):
        get_peft_model(nn.Sequential(QuantLinear(), nn.Linear(4, 4)), config)


# -- what is not fixed ----------------------------------------------------------------


def loftq_of(alpha: int) -> LoraConfig:
    return LoraConfig(
        r=4,
        lora_alpha=alpha,
        target_modules=["0"],
        init_lora_weights="loftq",
        loftq_config=peft.LoftQConfig(loftq_bits=4),
    )


@loftq
def test_loftq_does_not_know_of_the_scaling(monkeypatch: pytest.MonkeyPatch) -> None:
    """LoftQ itself needs a GPU; the layer that takes its result does not."""

    def exact(weight: torch.Tensor, **options: int) -> tuple[torch.Tensor, ...]:
        u, s, v = torch.linalg.svd(weight)
        rank = options["reduced_rank"]
        return torch.zeros_like(weight), v[:rank], u[:, :rank] * s[:rank]

    monkeypatch.setattr("peft.tuners.lora.layer.loftq_init", exact)
    for alpha, wanted in ((4, 1.0), (8, 2.0)):
        base = nn.Sequential(nn.Linear(4, 4, bias=False))
        weight = base[0].weight.detach().clone()
        got = get_peft_model(base, loftq_of(alpha))(torch.eye(4)).T
        assert torch.allclose(got, wanted * weight, atol=1e-5)


@loftq
def test_loftq_with_twice_the_alpha_is_as_far_off_as_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of LoftQ only the device is another one."""
    names = {**vars(loftq_utils)}
    on_cpu = inspect.getsource(loftq_utils.loftq_init).replace('"cuda"', '"cpu"')
    exec(on_cpu, names)  # noqa: S102 - PEFT's own function
    monkeypatch.setattr("peft.tuners.lora.layer.loftq_init", names["loftq_init"])

    def off(alpha: int) -> float:
        """Return how far a start is off, relative to the weight in 4 bit alone."""
        base = nn.Sequential(nn.Linear(64, 64, bias=False))
        weight = base[0].weight.detach().clone()
        model = get_peft_model(base, loftq_of(alpha))
        with model.disable_adapter():
            of_four_bit = (model(torch.eye(64)).T - weight).norm()
        return float((model(torch.eye(64)).T - weight).norm() / of_four_bit)

    assert off(4) < 0.95
    assert off(8) == pytest.approx(1, abs=1e-4)
    assert off(12) > 1.05


@loftq
def test_loftq_needs_a_gpu() -> None:
    config = LoraConfig(
        target_modules=["q_proj"],
        init_lora_weights="loftq",
        loftq_config=peft.LoftQConfig(loftq_bits=4),
    )
    with pytest.raises((AssertionError, RuntimeError), match="CUDA"):
        get_peft_model(llama(), config)


# -- tuners by themselves --------------------------------------------------------------


@claim("Task_Type_Must_Fit")
def test_trainer_does_not_see_the_columns_of_a_tuner(tmp_path: Path) -> None:
    rows = [{"input_ids": list(range(8)), "labels": list(range(8))}] * 4
    arguments = transformers.TrainingArguments(
        str(tmp_path), max_steps=1, report_to=[], use_cpu=True
    )

    def train(model: nn.Module) -> None:
        transformers.Trainer(model, arguments, train_dataset=rows).train()

    config = LoKrConfig(target_modules=["q_proj"])
    train(get_peft_model(llama(), config))
    with pytest.raises(ValueError, match="The batch received was empty"):
        train(LoKrModel(llama(), config, "default"))


# -- imports --------------------------------------------------------------------------


@another
def test_a_file_of_ones_own_is_imported_first(tmp_path: Path) -> None:
    (tmp_path / "peft.py").write_text("from peft import LoraConfig\n", "utf-8")
    _out, error = run("import peft", cwd=tmp_path)
    assert "from partially initialized module 'peft'" in error
    assert "(most likely due to a circular import)" in error


@another
def test_a_folder_hides_that_peft_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "peft").mkdir()
    code = (
        "import sys; sys.path[:] = [''] + [it for it in sys.path if 'site-' not in it]"
    )
    _out, error = run(f"{code}\nfrom peft import LoraConfig", cwd=tmp_path)
    assert error == (
        "ImportError: cannot import name 'LoraConfig' from 'peft' (unknown location)"
    )
    _out, error = run("import peft; assert peft.LoraConfig", cwd=tmp_path)
    assert error == "", "one that is installed comes before a folder without __init__"
    (tmp_path / "peft").rmdir()
    _out, error = run(f"{code}\nfrom peft import LoraConfig", cwd=tmp_path)
    assert error == "ModuleNotFoundError: No module named 'peft'"


@another
@pytest.mark.parametrize(
    "name", ["Loraconfig", "prepare_model_for_int8_training", "BottleneckConfig"]
)
def test_a_name_that_peft_does_not_have_comes_with_the_path_of_peft(name: str) -> None:
    assert not hasattr(peft, name)
    _out, error = run(f"from peft import {name}")
    assert error.startswith(f"ImportError: cannot import name '{name}' from 'peft' (/")
    assert error.endswith("__init__.py)")


@another
def test_names_that_moved_are_where_the_page_says() -> None:
    assert peft.prepare_model_for_kbit_training
    assert peft.PeftConfig
    assert peft.PeftType
    _out, error = run("import peft.utils.config")
    assert error == "ModuleNotFoundError: No module named 'peft.utils.config'"


@old_package
@pytest.mark.parametrize(
    ("name", "release", "named"),
    [
        ("torchao", "0.15.0", "above 0.16.0"),
        ("gptqmodel", "6.0.0", "`7.0.0` or higher"),
    ],
)
def test_an_old_package_stops_an_adapter_that_does_not_need_it(
    name: str, release: str, named: str, tmp_path: Path
) -> None:
    folder = package(tmp_path, name, release)
    # After PEFT, for transformers would import it, too.
    code = f"import peft, sys\nsys.path.insert(0, {str(folder)!r})\n{SMALL}"
    out, error = run(code)
    assert "imported" in out
    assert "adapted" not in out
    assert error.startswith(f"ImportError: Found an incompatible version of {name}.")
    assert named in error


@old_package
def test_a_broken_bitsandbytes_breaks_the_import(tmp_path: Path) -> None:
    folder = package(
        tmp_path, "bitsandbytes", "0.41.0", "raise RuntimeError('CUDA Setup failed')"
    )
    out, error = run(SMALL, folder)
    assert out == ""
    assert error == "RuntimeError: CUDA Setup failed"


@versions_that_fit
def test_an_old_pytorch_ends_in_a_name_that_is_not_defined() -> None:
    code = """
import importlib.metadata as found
real = found.version
found.version = lambda name: "2.2.0" if name == "torch" else real(name)
import torch
torch.__version__ = "2.2.0"
import peft
"""
    _out, error = run(code)
    assert error == "NameError: name 'nn' is not defined"


@versions_that_fit
def test_peft_imports_what_accelerate_has_since_0_32() -> None:
    bug = FOUND["bugs"]["clear_device_cache"]
    assert bug["found"]["fixed"] == "0.32.0"
    text = distribution("peft").locate_file("peft/utils/loftq_utils.py")
    line = "from accelerate.utils.memory import clear_device_cache"
    assert line in text.read_text(encoding="utf-8")
    asks = [it for it in distribution("peft").requires or [] if "accelerate" in it]
    assert "0.21.0" in asks[0]
