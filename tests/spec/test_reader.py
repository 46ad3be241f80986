"""A file that is no pipeline says so at its place, and never takes the process with it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_etl.spec import load_file
from tests.spec.conftest import PIPELINE, Project

LEVELS = {
    "flow, 3,000 levels": "a: " + "[" * 3_000,
    "flow, 100,000 levels": "a: " + "[" * 100_000,
    "closed flow, 3,000 levels": "a: " + "[" * 3_000 + "]" * 3_000,
    "block, 3,000 levels": "\n".join(" " * level + "a:" for level in range(1_000)),
    "mappings, 100,000 levels": "{a: " * 100_000,
    "lists, 100,000 levels": "- " * 100_000,
}


@pytest.mark.parametrize("text", LEVELS.values(), ids=LEVELS)
def test_deep_nesting_is_an_error_at_level_51_and_takes_no_time(project: Project, text: str) -> None:
    begin = time.process_time()
    told = project.told(text)
    assert time.process_time() - begin < 1
    assert [line.split()[1] for line in told] == ["yaml-too-deep"]


def test_fifty_levels_are_read(project: Project) -> None:
    told = project.told("a: " + "[" * 49 + "]" * 49 + "\n")
    assert "yaml-too-deep" not in "\n".join(told)


def test_an_alias_bomb_is_counted_before_it_is_built(project: Project) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert project.told("\n".join(lines))[0].startswith("6:10 yaml-too-many-values")


def test_an_alias_may_repeat_a_few_values(project: Project, changed: Callable[[str, str], str]) -> None:
    text = changed("[id]", "&keys [id]") + "tags: *keys\n"
    assert project.pipeline(text).tags == ("id",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1:1 file-empty"),
        ("# only a comment\n", "1:1 file-empty"),
        ("---\n", "2:1 not-a-mapping"),
        ("- extract\n", "1:1 not-a-mapping"),
        ("hello", "1:1 not-a-mapping"),
        ("a: b: c\n", "1:5 yaml-syntax"),
        ("a: 1\n\tb: 2\n", "2:1 yaml-syntax"),
        ('schedule: "@daily\n', "2:1 yaml-syntax"),
        ("schedule: * * * * *\n", "1:12 yaml-syntax"),
        ("schedule: @daily\n", "1:11 yaml-syntax"),
        ("a: [1, 2\n", "2:1 yaml-syntax"),
        ("a: \x01\n", "1:4 yaml-syntax"),
        ("a: 1\n---\nb: 2\n", "2:1 yaml-documents"),
        ("a: &a [*a]\n", "1:8 yaml-alias"),
        ("a: *b\n", "1:4 yaml-alias"),
        ("? [a]\n: b\n", "1:3 yaml-key"),
        ("{{ ds }}: 1\n", "1:1 yaml-key"),
        ("a: {{ ds }}\n", "1:5 yaml-key"),
    ],
)
def test_what_is_no_mapping_of_keys_is_told_at_its_place(project: Project, text: str, told: str) -> None:
    found = project.told(text)
    assert len(found) == 1
    assert found[0].startswith(told + " ")


def test_the_hint_names_the_remedy(project: Project) -> None:
    assert "no tabs" in project.told("a: 1\n\tb: 2\n")[0]
    assert "in quotes" in project.told("schedule: * * * * *\n")[0]
    assert "use ${…}" in project.told("a: {{ ds }}\n")[0]
    assert "holds ${…}" in project.told("a: {path: ${env.raw}/x}\n")[0]


def test_tags_duplicate_keys_and_merge_keys_are_all_told(project: Project, changed: Callable[[str, str], str]) -> None:
    text = changed(
        "description: Orders, one day a window",
        "description: !!python/object/apply:os.system [echo hacked]\ntags: [a]\ntags: [b]\n<<: {owner: me}",
    )
    told = project.told(text)
    assert [line.split(" |")[0] for line in told] == [
        "1:14 wrong-type description",
        "1:14 yaml-tag description",
        "3:1 duplicate-key tags",
        "4:1 yaml-merge <<",
    ]
    assert "first in line 2" in told[2]


def test_a_duplicate_key_deep_in_the_file_has_its_path(project: Project, changed: Callable[[str, str], str]) -> None:
    text = changed("    format: csv\n", "    format: csv\n    format: json\n")
    assert project.told(text)[0].startswith("9:5 duplicate-key extract.orders.format | ")


def test_bytes_that_are_no_utf8_are_told_with_their_place(project: Project) -> None:
    told = project.told(b"description: caf\xc3\xa9\nowner: caf\xe9\n")
    assert told == ["2:11 file-encoding  | byte 0xe9 at offset 29 is no UTF-8 | save the file as UTF-8"]
    assert project.told("a: 1\n".encode("utf-16"))[0].startswith("1:1 file-encoding")


@pytest.mark.parametrize("form", ["utf-8-sig", "crlf"])
def test_a_byte_order_mark_and_windows_line_ends_change_nothing(project: Project, form: str) -> None:
    data = PIPELINE.replace("\n", "\r\n").encode() if form == "crlf" else PIPELINE.encode(form)
    loaded = project.load(data)
    assert loaded.pipeline is not None
    assert loaded.pipeline.fingerprint == project.pipeline().fingerprint
    broken = data.replace(b"schedule:", b"schedul:")
    assert project.told(broken)[0].startswith("2:1 unknown-key schedul ")


def test_a_file_of_more_than_a_mebibyte_is_refused(project: Project) -> None:
    assert project.told("# " + "x" * (1 << 20))[0].startswith("1:1 file-too-large")
    assert project.load(PIPELINE + "# " + "x" * 1_000_000).pipeline is not None


def test_hostile_sizes_take_no_time(project: Project) -> None:
    texts = [
        "".join(f"k{n}: 1\n" for n in range(45_000)),
        "tags: [" + "1," * 95_000 + "]",
        "k" * 1_000_000 + ": 1",
        "tags: [" + "x" * 1_000_000 + "]",
        "start: " + "9" * 1_000_000,
        "description: ${" + "x" * 1_000_000,
    ]
    for text in texts:
        begin = time.process_time()
        told = project.told(text)
        assert told
        assert time.process_time() - begin < 5, text[:20]
        assert all(len(line) < 1000 for line in told)


@pytest.mark.parametrize("what", ["missing", "folder", "fifo", "unreadable"])
def test_a_path_that_is_no_readable_file_is_told(project: Project, what: str) -> None:
    path = project.folder / "dags/orders.yaml"
    path.parent.mkdir()
    if what == "folder":
        path.mkdir()
    if what == "fifo":
        os.mkfifo(path)
    if what == "unreadable":
        path = Path("/proc/self/mem")
    loaded = load_file(path)
    assert loaded.pipeline is None
    assert [item.code for item in loaded.errors] == ["file-unreadable"]
    assert str(loaded.errors[0]).startswith(f"{path}:1:1: error[file-unreadable]: ")
