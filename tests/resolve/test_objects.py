"""How a target finds an object, as tables."""

from __future__ import annotations

import pytest

from sphinxext_heuristics._core.model import Entry
from sphinxext_heuristics._core.resolve.objects import Objects, Resolved
from sphinxext_heuristics._core.source.packages import Sources


def entry(*names: str, lineage: tuple[str, ...] = ()) -> Entry:
    return Entry(names=names, lineage=lineage, anchor=names[0])


SPELLED = {
    "pkg.config.Config": ("pkg.config.Config", "pkg.Config"),
    "pkg.Config": ("pkg.config.Config", "pkg.Config"),
    "pkg.hand.Hand": ("pkg.hand.Hand", "pkg.Hand"),
    "pkg.Hand": ("pkg.hand.Hand", "pkg.Hand"),
}


class Spelled(Sources):
    """The source of packages, as far as these tables ask for it."""

    def aliases(self, dotted: str) -> tuple[str, ...]:
        return SPELLED.get(dotted, ())


OBJECTS = Objects(
    [
        entry("pkg.Config", lineage=("pkg.config.Config",)),
        entry("pkg.Base.merge", lineage=("pkg.base.Base.merge",)),
        entry("pkg.Lora", lineage=("pkg.lora.Lora",)),
        entry(
            "pkg.Lora.merge",
            lineage=(
                "pkg.lora.Lora.merge",
                "pkg.between.Between.merge",
                "pkg.base.Base.merge",
            ),
        ),
        entry("pkg.Poly.merge", lineage=("pkg.poly.Poly.merge",)),
        entry("pkg.LoraConfig"),
        entry("pkg.one", "pkg.two"),
        entry("hand.Model"),
        entry("hand.Model.run"),
        entry("alone"),
        entry("pkg.Hand"),
        entry("pkg.Sub.go", lineage=("pkg.sub.Sub.go", "pkg.base.Base.go")),
        entry("pkg.Config"),
    ],
    {
        "hand.Model": ("hand.private.Model",),
        "hand.Model.run": ("hand.private.Model.run",),
    },
    Spelled([]),
)


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("pkg.Config", ["pkg.Config"]),
        ("pkg.config.Config", ["pkg.Config"]),
        ("Config", ["pkg.Config"]),
        ("config.Config", ["pkg.Config"]),
        ("pkg.base.Base.merge", ["pkg.Base.merge", "pkg.Lora.merge"]),
        ("pkg.Base.merge", ["pkg.Base.merge", "pkg.Lora.merge"]),
        ("Base.merge", ["pkg.Base.merge", "pkg.Lora.merge"]),
        ("pkg.between.Between.merge", ["pkg.Lora.merge"]),
        ("pkg.Lora.merge", ["pkg.Lora.merge"]),
        ("pkg.Poly.merge", ["pkg.Poly.merge"]),
        ("*.merge", ["pkg.Base.merge", "pkg.Lora.merge", "pkg.Poly.merge"]),
        ("*.Lora.merge", ["pkg.Lora.merge"]),
        ("*.pkg.one", ["pkg.one"]),
        ("two", ["pkg.two"]),
        ("alone", ["alone"]),
        ("*.alone", ["alone"]),
        ("hand.private.Model", ["hand.Model"]),
        ("hand.private.Model.run", ["hand.Model.run"]),
        ("private.Model", ["hand.Model"]),
        ("pkg.hand.Hand", ["pkg.Hand"]),
        ("pkg.base.Base.go", ["pkg.Sub.go"]),
        ("go", ["pkg.Sub.go"]),
    ],
)
def test_object_found(target: str, names: list[str]) -> None:
    match = OBJECTS.find(target)
    assert tuple(match.reached) == tuple(names)
    assert match.reached
    assert OBJECTS.find(target) is match, "found once"


@pytest.mark.parametrize(
    "target",
    ["Lor", "onfig", "pkg.Nothing", "erge", "*.nothing", "", "*.", "base", "Base"],
)
def test_object_not_found(target: str) -> None:
    assert OBJECTS.find(target) == Resolved()
    assert not OBJECTS.find(target).reached


def test_object_ambiguous_lists_objects_not_entries() -> None:
    assert OBJECTS.find("merge") == Resolved(
        several=("pkg.base.Base.merge", "pkg.poly.Poly.merge")
    )


def test_a_function_comes_before_the_module_of_its_name() -> None:
    module = Entry(
        names=("pkg.run",),
        lineage=("pkg.run",),
        anchor="module-pkg.run",
        is_module=True,
    )
    found = Objects([module, entry("pkg.run.run")], {}, Sources([]))
    assert [*found.find("run").reached] == ["pkg.run.run"]
    assert [*found.find("pkg.run").reached] == ["pkg.run"]
    alone = Objects([module], {}, Sources([]))
    assert [*alone.find("run").reached] == ["pkg.run"]


@pytest.mark.parametrize(
    ("name", "inherited"),
    [
        ("pkg.Lora.merge", True),
        ("pkg.Base.merge", False),
        ("pkg.Sub.go", True),
        ("alone", False),
    ],
)
def test_inherited_copies(name: str, *, inherited: bool) -> None:
    assert OBJECTS.is_inherited(name) is inherited


@pytest.mark.parametrize(
    ("target", "near"),
    [
        ("pkg.Lora.merg", ("pkg.Lora.merge", "pkg.Poly.merge", "pkg.Base.merge")),
        ("other.place.merge", ("pkg.Base.merge", "pkg.Lora.merge", "pkg.Poly.merge")),
        ("other.place.Model", ("hand.Model",)),
        ("merged", ("pkg.Base.merge", "pkg.Lora.merge", "pkg.Poly.merge")),
        ("*.merged", ("pkg.Base.merge", "pkg.Lora.merge", "pkg.Poly.merge")),
        ("other.place.merged", ()),
        ("zzz.qqq", ()),
    ],
)
def test_object_closest(target: str, near: tuple[str, ...]) -> None:
    assert sorted(OBJECTS.closest(target)) == sorted(near)


def test_documented_names_in_order() -> None:
    assert list(OBJECTS.names)[:2] == ["pkg.Config", "pkg.Base.merge"]


@pytest.mark.parametrize(
    ("target", "excluded"),
    [
        ("pkg.Lora.merge", True),
        ("pkg.Lora", True),
        ("Lora", True),
        ("Lora.merge", True),
        ("pkg.lora.Lora", True),
        ("private.Lora", True),
        ("merge", True),
        ("pkg", False),
        ("pkg.Lor", False),
        ("ora.merge", False),
        ("pkg.base.Base", False),
    ],
)
def test_except_is_judged_by_own_names(target: str, *, excluded: bool) -> None:
    merge = entry(
        "pkg.Lora.merge", lineage=("pkg.lora.Lora.merge", "pkg.base.Base.merge")
    )
    lora = entry("pkg.Lora", lineage=("pkg.lora.Lora",))._replace(is_class=True)
    canonical = {"pkg.Lora": ("private.Lora",)}
    objects = Objects([lora, merge], canonical, Sources([]))
    assert objects.excludes(target, objects.own_names(merge)) is excluded
