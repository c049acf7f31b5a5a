"""Docstring text to section records, as tables."""

from __future__ import annotations

import inspect

import pytest

from sphinxext_heuristics.docbuilder.docstrings.sections import Kind, split_docstring

#: docstring → for each section: kind, title, text, and for each item: name, type, text
CASES = {
    "summary only": (
        """
        Does a thing.
        """,
        [("prose", "", "Does a thing.", [])],
    ),
    "parameters on one line and on several": (
        """
        Does a thing.

        Args:
            model (`torch.nn.Module`): The model.
            adapter_name (`str`, *optional*, defaults to `"default"`):
                The name.

                A second paragraph.
            plain: Without a type.
            *args: More.
            **kwargs (additional keyword arguments, *optional*): Even more.
        """,
        [
            ("prose", "", "Does a thing.", []),
            (
                "parameters",
                "Args",
                "",
                [
                    ("model", "`torch.nn.Module`", "The model."),
                    (
                        "adapter_name",
                        '`str`, *optional*, defaults to `"default"`',
                        "The name.\n\nA second paragraph.",
                    ),
                    ("plain", "", "Without a type."),
                    ("*args", "", "More."),
                    (
                        "**kwargs",
                        "additional keyword arguments, *optional*",
                        "Even more.",
                    ),
                ],
            ),
        ],
    ),
    "types with brackets and colons": (
        """
        Args:
            device_map (`dict[str, Union[int, str]]`): A map.
            offload (Dict[str: int]): Another.
            top_k (default: 10)
                Not a type, but in its place.
            default (`dict|None`, *optional*)::
                Two colons.
            config (LoraConfig) -- With dashes.
        """,
        [
            (
                "parameters",
                "Args",
                "",
                [
                    ("device_map", "`dict[str, Union[int, str]]`", "A map."),
                    ("offload", "Dict[str: int]", "Another."),
                    ("top_k", "default: 10", "Not a type, but in its place."),
                    ("default", "`dict|None`, *optional*", "Two colons."),
                    ("config", "LoraConfig", "With dashes."),
                ],
            )
        ],
    ),
    "a list inside a description": (
        """
        Args:
            bias (`str`): One of:
                - "none"
                - "all"
            r: The rank.
        """,
        [
            (
                "parameters",
                "Args",
                "",
                [
                    ("bias", "`str`", 'One of:\n- "none"\n- "all"'),
                    ("r", "", "The rank."),
                ],
            )
        ],
    ),
    "prose at the items' indentation goes on with the item": (
        """
        Args:
            model: The model.
            its name is kept, as it was.
        """,
        [
            (
                "parameters",
                "Args",
                "",
                [("model", "", "The model.\nits name is kept, as it was.")],
            )
        ],
    ),
    "parameters without indentation": (
        """
        Args:
        first (`int`): One.
        second (`int`): Two.

        What follows.
        """,
        [
            (
                "parameters",
                "Args",
                "",
                [("first", "`int`", "One."), ("second", "`int`", "Two.")],
            ),
            ("prose", "", "What follows.", []),
        ],
    ),
    "an empty section is prose": (
        """
        Args:

        Nothing to see, move on.
        """,
        [("prose", "", "Args:\n\nNothing to see, move on.", [])],
    ),
    "attributes in bold, with a bulleted list": (
        """
        **Attributes**:
            - **model** ([`~torch.nn.Module`]) -- The model
                to be adapted.
            - **peft_config** ([`LoraConfig`]): The configuration.
        """,
        [
            (
                "attributes",
                "Attributes",
                "",
                [
                    ("model", "[`~torch.nn.Module`]", "The model\nto be adapted."),
                    ("peft_config", "[`LoraConfig`]", "The configuration."),
                ],
            )
        ],
    ),
    "a return value with its type": (
        """
        Returns:
            `torch.nn.Module`: The model.

        After it.
        """,
        [
            ("returns", "Returns", "", [("", "`torch.nn.Module`", "The model.")]),
            ("prose", "", "After it.", []),
        ],
    ),
    "a return type with its description below": (
        """
        Returns:
            list[`peft.peft_model.TunerLayerStatus`]:
                A list of dataclasses.
        """,
        [
            (
                "returns",
                "Returns",
                "",
                [
                    (
                        "",
                        "list[`peft.peft_model.TunerLayerStatus`]",
                        "A list of dataclasses.",
                    )
                ],
            )
        ],
    ),
    "a return type without a colon": (
        """
        Returns:
            `bool`
                True if so.
        """,
        [("returns", "Returns", "", [("", "`bool`", "True if so.")])],
    ),
    "alternatives in a return type": (
        """
        Returns:
            torch.Tensor or None: The tensor.
        """,
        [("returns", "Returns", "", [("", "torch.Tensor or None", "The tensor.")])],
    ),
    "a sentence with a colon is no return type": (
        """
        Returns:
            A dict of names: what they mean.
        """,
        [("returns", "Returns", "", [("", "", "A dict of names: what they mean.")])],
    ),
    "named return values": (
        """
        Returns:
            lora_config (`LoraConfig`)
                The configuration.
            state_dict (`dict[str, torch.Tensor]`):
                The weights.
        """,
        [
            (
                "returns",
                "Returns",
                "",
                [
                    ("lora_config", "`LoraConfig`", "The configuration."),
                    ("state_dict", "`dict[str, torch.Tensor]`", "The weights."),
                ],
            )
        ],
    ),
    "a return value at the heading's indentation": (
        """
        Returns:
        Tensor: The result,
            in its shape.

        What follows.
        """,
        [
            ("returns", "Returns", "", [("", "Tensor", "The result,\nin its shape.")]),
            ("prose", "", "What follows.", []),
        ],
    ),
    "exceptions, the heading without its colon": (
        """
        Raises
            TypeError:
                If the model is wrong.
            [`PeftError`]: If all is wrong.
            ValueError
                If the rank is wrong.
        """,
        [
            (
                "raises",
                "Raises",
                "",
                [
                    ("TypeError", "", "If the model is wrong."),
                    ("PeftError", "", "If all is wrong."),
                    ("ValueError", "", "If the rank is wrong."),
                ],
            )
        ],
    ),
    "exceptions as prose": (
        """
        Raises:
            An error, if one occurs.
        """,
        [("raises", "Raises", "", [("", "", "An error, if one occurs.")])],
    ),
    "yields and warns": (
        """
        Yields:
            slice: A slice.

        Warns:
            PeftWarning: When in doubt.
        """,
        [
            ("yields", "Yields", "", [("", "slice", "A slice.")]),
            ("warns", "Warns", "", [("PeftWarning", "", "When in doubt.")]),
        ],
    ),
    "notes": (
        """
        Note: This modifies
        the model.

        Warning: It has been reported,
            with an indentation.

        Tip:
            One.

            Two.

        Not a note.
        """,
        [
            ("admonition", "note", "This modifies\nthe model.", []),
            (
                "admonition",
                "warning",
                "It has been reported,\nwith an indentation.",
                [],
            ),
            ("admonition", "tip", "One.\n\nTwo.", []),
            ("prose", "", "Not a note.", []),
        ],
    ),
    "a note in the middle of a paragraph is prose": (
        """
        What is said here is a
        Note: not a heading.
        """,
        [("prose", "", "What is said here is a\nNote: not a heading.", [])],
    ),
    "examples": (
        """
        Example (pure Super):

            ```py
            >>> Args:
            ```

        Example::

            model(x)
              .y
        Done.
        """,
        [
            ("rubric", "Example (pure Super)", "", []),
            ("prose", "", "```py\n>>> Args:\n```", []),
            ("rubric", "Example", "", []),
            ("prose", "", "````\nmodel(x)\n  .y\n````", []),
            ("prose", "", "Done.", []),
        ],
    ),
    "nothing in a fence is a section": (
        """
        ```
        Args:
            x: y
        ```
        """,
        [("prose", "", "```\nArgs:\n    x: y\n```", [])],
    ),
    "a fence that is never closed reaches to the end": (
        """
        ```py
        Args:
            x: y
        """,
        [("prose", "", "```py\nArgs:\n    x: y", [])],
    ),
    "other headings are prose": (
        """
        Initialization:
            The paper discusses it.

        Theory: plain.
        """,
        [
            (
                "prose",
                "",
                "Initialization:\n    The paper discusses it.\n\nTheory: plain.",
                [],
            )
        ],
    ),
    "nothing": ("", []),
}


@pytest.mark.parametrize("case", CASES)
def test_sections(case: str) -> None:
    docstring, expected = CASES[case]
    found = [
        (
            section.kind.value,
            section.title,
            section.text,
            [(item.name, item.type, item.text) for item in section.items],
        )
        for section in split_docstring(inspect.cleandoc(docstring))
    ]
    assert found == expected


def test_lines_are_those_of_the_docstring() -> None:
    text = inspect.cleandoc(
        """
        Summary.

        Args:
            a (`int`):

                Two lines below.
            b: Here.

        Note:
            Below.
        """
    )
    summary, parameters, note = split_docstring(text)
    lines = text.splitlines()
    first, second = parameters.items
    assert lines[summary.line] == "Summary."
    assert lines[parameters.line] == "Args:"
    assert (lines[first.line], lines[first.text_line]) == (
        "    a (`int`):",
        "        Two lines below.",
    )
    assert first.text_line == first.line + 2
    assert lines[second.text_line] == "    b: Here."
    assert lines[note.line] == "    Below."


def test_tabs_are_indentation() -> None:
    (section,) = split_docstring("Args:\n\ta: One.\n\tb: Two.")
    assert section.kind is Kind.PARAMETERS
    assert [item.name for item in section.items] == ["a", "b"]
