"""What a plan says, and what it refuses."""

from __future__ import annotations

import json
import os

import pytest
from _tagged_files import record, tag, write_file

from skgenre import apply_tags, plan_tags
from skgenre.tags import Tags, preview_lines, read_plan


@pytest.fixture
def files(tmp_path):
    """One file without a genre, one with."""
    empty, full = (write_file(tmp_path / f"{name}.flac", 0.2) for name in ("empty", "full"))
    tag(empty, title="T")
    tag(full, genre=["Rock"])
    return empty, full


def plan_rows(records, folder, **params):
    plan_tags(records, folder / "plan.jsonl", **params)
    return read_plan(folder / "plan.jsonl")[1]


def test_by_default_only_files_without_a_genre_are_written(files, tmp_path):
    empty, full = plan_rows([record(file) for file in files], tmp_path)
    assert (empty["action"], empty["before"], empty["after"]) == ("write", [], ["dub"])
    assert (full["action"], full["before"], full["after"]) == ("keep", ["Rock"], ["Rock"])
    assert full["reason"] == "has a genre"


def test_a_blank_genre_is_none(tmp_path):
    file = tag(write_file(tmp_path / "a.flac", 0.2), genre=["  "])
    (row,) = plan_rows([record(file)], tmp_path)
    assert (row["action"], row["before"]) == ("write", [])
    apply_tags(tmp_path / "plan.jsonl")
    assert Tags(file).genres() == ["dub"]


def test_the_file_is_readable_json_lines(files, tmp_path):
    plan_tags([record(files[0])], tmp_path / "plan.jsonl", vocabulary={"dub": "Réggae"}, model="m")
    text = (tmp_path / "plan.jsonl").read_text(encoding="utf-8")
    header, row = map(json.loads, text.splitlines())
    assert header == {
        "schema": "skgenre tag plan",
        "version": 1,
        "model": "m",
        "settings": {
            "mode": "fill",
            "vocabulary": {"dub": ["Réggae"]},
            "exclude": [],
            "min_confidence": 0.0,
            "evidence": False,
        },
    }
    assert row["path"] == str(files[0])
    assert row["confidence"] == 0.9
    assert '"after": ["Réggae"]' in text
    assert {len(row["digest"]), len(row["audio_digest"])} == {64}
    assert "evidence" not in row


@pytest.mark.parametrize("mode", ["fill", "overwrite", "append"])
@pytest.mark.parametrize(
    ("change", "params", "reason"),
    [
        ({"status": "no sound", "genre": None, "reason": "is silent"}, {}, "is silent"),
        ({"status": "error", "genre": None, "reason": "is damaged"}, {}, "is damaged"),
        ({"genre": None}, {}, "ok"),
        ({}, {"exclude": ["dub"]}, "dub is excluded"),
        ({}, {"min_confidence": 0.95}, "0.900 is below 0.95"),
    ],
    ids=["no sound", "error", "no genre", "excluded", "unsure"],
)
def test_nothing_found_never_wipes_a_genre(mode, change, params, reason, files, tmp_path):
    rows = plan_rows([record(file) | change for file in files], tmp_path, mode=mode, **params)
    assert [row["action"] for row in rows] == ["keep", "keep"]
    assert [row["after"] for row in rows] == [[], ["Rock"]]
    assert {row["reason"] for row in rows} == {reason}
    assert apply_tags(tmp_path / "plan.jsonl") == []
    assert Tags(files[1]).genres() == ["Rock"]


def test_confidence_at_the_threshold_is_enough(files, tmp_path):
    assert plan_rows([record(files[0])], tmp_path, min_confidence=0.9)[0]["action"] == "write"


def test_vocabulary_from_a_file_and_several_genres(files, tmp_path):
    words = tmp_path / "words.json"
    words.write_text('\ufeff{"dub": ["Dub ", "Reggae"], "swing": "Swing"}', encoding="utf-8")
    found = record(files[1], genres=["dub", "swing"])
    (row,) = plan_rows([found], tmp_path, vocabulary=words, mode="overwrite")
    assert row["after"] == ["Dub", "Reggae", "Swing"]
    (row,) = plan_rows([found], tmp_path, vocabulary=words, mode="overwrite", exclude=["dub"])
    assert row["after"] == ["Swing"]


def test_append_adds_what_is_not_there_in_any_spelling(files, tmp_path):
    tag(files[1], genre=["Hip-Hop", "Hip-Hop"])
    (row,) = plan_rows(
        [record(files[1])], tmp_path, mode="append", vocabulary={"dub": ["hip hop", "Dub"]}
    )
    assert row["after"] == ["Hip-Hop", "Hip-Hop", "Dub"]
    (row,) = plan_rows([record(files[1])], tmp_path, mode="append", vocabulary={"dub": "HIP HOP"})
    assert (row["action"], row["reason"]) == ("keep", "has these genres")


def test_files_that_cannot_be_tagged_are_skipped_with_a_reason(tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("no audio")
    twice = write_file(tmp_path / "a.flac", 0.2)
    linked = write_file(tmp_path / "b.flac", 0.2)
    os.link(linked, tmp_path / "c.flac")
    paths = [text, tmp_path / "absent.mp3", tmp_path, twice, twice, linked]
    rows = plan_rows([record(path) for path in paths], tmp_path)
    assert [row["action"] for row in rows] == ["skip", "skip", "skip", "write", "skip", "skip"]
    reasons = [row["reason"] for row in rows]
    assert "MP3, FLAC, Ogg, Opus, M4A, WAV or AIFF" in reasons[0]
    assert reasons[1:3] == ["No such file or directory", "Is a directory"]
    assert reasons[4] == f"the same file as {twice}"
    assert "hard links" in reasons[5]


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"vocabulary": {"dubb": "Dub"}}, "names 'dubb', which is not among .*'dub', 'swing'"),
        ({"exclude": ["rock"]}, "names 'rock'"),
        ({"vocabulary": {"dub": ""}}, "has '' for 'dub'; expected genres with their words"),
        ({"vocabulary": {"dub": 3}}, "has 3 for 'dub'"),
        ({"mode": "replace"}, "'mode' parameter of plan_tags must be"),
        ({"min_confidence": 2}, "'min_confidence' parameter"),
    ],
)
def test_wrong_parameters(params, match, files, tmp_path):
    with pytest.raises(ValueError, match=match):
        plan_tags([record(files[0])], tmp_path / "plan.jsonl", **params)
    assert not (tmp_path / "plan.jsonl").exists()


def test_a_wrong_vocabulary_file_is_named(files, tmp_path):
    words = tmp_path / "words.json"
    for content, match in (("dub: Dub", "words.json is no JSON"), ("[]", "words.json is a list")):
        words.write_text(content)
        with pytest.raises(ValueError, match=match):
            plan_tags([record(files[0])], tmp_path / "plan.jsonl", vocabulary=words)


def test_a_record_without_a_probability_of_its_genre(files, tmp_path):
    wrong = record(files[0]) | {"genre": "polka"}
    with pytest.raises(ValueError, match="names 'polka', which is not among"):
        plan_tags([wrong], tmp_path / "plan.jsonl")
    with pytest.raises(ValueError, match="has no path"):
        plan_tags([{"genre": "dub"}], tmp_path / "plan.jsonl")


def _edit(plan, **values):
    header, row = plan.read_text(encoding="utf-8").splitlines()
    row = {name: value for name, value in {**json.loads(row), **values}.items() if value != "gone"}
    plan.write_text(f"{header}\n\n{json.dumps(row)}\n", encoding="utf-8")


def test_an_edited_plan_is_followed(files, tmp_path):
    plan_tags([record(files[0])], tmp_path / "plan.jsonl")
    _edit(tmp_path / "plan.jsonl", after=["Steppers", "Dub"])
    apply_tags(tmp_path / "plan.jsonl")
    assert Tags(files[0]).genres() == ["Steppers", "Dub"]


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"after": []}, r"line 3: 'after' is \[\]; expected the genres.*change the action"),
        ({"after": [" "]}, "line 3: 'after' is"),
        ({"after": "Dub"}, "line 3: 'after' is missing or wrong"),
        ({"action": "delete"}, "line 3: the action 'delete'"),
        ({"path": "gone"}, "line 3: 'path' is missing"),
        ({"digest": "gone"}, "line 3: a file without digests"),
        ({"digest": None}, "line 3: a file without digests"),
    ],
)
def test_a_plan_edited_wrongly_is_refused_as_a_whole(values, match, files, tmp_path):
    plan_tags([record(files[0])], tmp_path / "plan.jsonl")
    _edit(tmp_path / "plan.jsonl", **values)
    with pytest.raises(ValueError, match=match):
        apply_tags(tmp_path / "plan.jsonl")
    assert Tags(files[0]).genres() == []


def test_what_is_no_plan(tmp_path):
    plan = tmp_path / "plan.jsonl"
    for content, match in (
        ("", "has the schema None"),
        ("no\n", "line 1 is no JSON"),
        ("[]\n", "line 1 holds a list"),
        ('{"schema": "skgenre tag plan", "version": 2}\n', "and the version 2"),
    ):
        plan.write_text(content)
        with pytest.raises(ValueError, match=match):
            apply_tags(plan)
    with pytest.raises(FileNotFoundError):
        apply_tags(tmp_path / "absent.jsonl")


def test_preview_shows_the_changes_and_their_numbers(files, tmp_path):
    plan = tmp_path / "plan.jsonl"
    plan_tags([record(file) for file in files], plan)
    assert list(preview_lines(plan)) == [
        f"{files[0]}: (none) -> dub  (0.900)",
        "1 of 2 files would be written.",
        "      1  (none) -> dub",
        "      1  keep: has a genre",
    ]
    assert f"{files[1]}: keep, has a genre" in preview_lines(plan, everything=True)
