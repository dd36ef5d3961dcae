"""Writing genres into files, and taking them out again, in all formats."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import av
import mutagen
import pytest
from _tagged_files import FORMATS, record, tag, write_file
from mediafile import MediaFile
from mutagen.apev2 import APEv2
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3, TCON, TDRC, TIT2, TPE1, TYER

from skgenre import apply_tags, plan_tags, undo_tags
from skgenre.audio import audio_digest
from skgenre.tags import Tags

WORDS = {"dub": ["Dub", "Reggaé"]}


@pytest.fixture(params=FORMATS)
def file(request, tmp_path):
    return write_file(tmp_path / "music" / f"a.{request.param}")


def apply(file, folder, *, genre="dub", keep_mtime=False, **params):
    """Plan and apply one file; return the result and the journal."""
    plan = folder / "plan.jsonl"
    plan_tags([record(file, genre)], plan, **params)
    (result,) = apply_tags(plan, keep_mtime=keep_mtime) or [None]
    return result, folder / "plan.jsonl.journal"


def save_id3(file, *frames, **options):
    tags = ID3()
    for frame in frames:
        tags.add(frame)
    tags.save(file, **options)


# Round trips


def test_what_is_written_reads_back_and_nothing_else_changes(file, tmp_path):
    tag(file, title="Tïtle", artist=["A", "B"])
    before, sound = mutagen.File(file), audio_digest(file)
    result, _ = apply(file, tmp_path, vocabulary=WORDS)
    assert result == {"path": str(file), "status": "written", "reason": ""}
    assert Tags(file).genres() == ["Dub", "Reggaé"]
    assert MediaFile(file).genres == ["Dub", "Reggaé"]  # separate values for another reader
    assert (MediaFile(file).title, MediaFile(file).artist) == ("Tïtle", "A")
    assert audio_digest(file) == sound
    assert mutagen.File(file).info.pprint() == before.info.pprint()
    assert not any(name.startswith("SKGENRE") for name in Tags(file).evidence())
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_ffmpeg_reads_the_genre_and_decodes_the_same_sound(file, tmp_path):
    def decoded():
        with av.open(str(file)) as container:
            texts = {**container.metadata, **container.streams.audio[0].metadata}
            sound = [frame.to_ndarray().tobytes() for frame in container.decode(audio=0)]
        return {key.lower(): value for key, value in texts.items()}.get("genre"), sound

    _, before = decoded()
    apply(file, tmp_path)
    genre, after = decoded()
    assert genre == "dub"
    assert after == before


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
def test_ffprobe_reads_the_genres(file, tmp_path):
    apply(file, tmp_path, vocabulary=WORDS)
    command = ["ffprobe", "-v", "quiet", "-show_format", "-show_streams", "-of", "json", str(file)]
    shown = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    texts = {**shown["format"].get("tags", {}), **shown["streams"][0].get("tags", {})}
    genre = {key.lower(): value for key, value in texts.items()}["genre"]
    assert genre.startswith("Dub")


@pytest.mark.parametrize("words", [WORDS, {"dub": "long " * 3000}], ids=["short", "long"])
@pytest.mark.parametrize("has_tags", [True, False])
def test_undo_restores_the_file_byte_by_byte(file, tmp_path, words, has_tags):
    if has_tags:
        tag(file, title="T", genre=["Rock"])
    before, mtime = file.read_bytes(), file.stat().st_mtime_ns
    _, journal = apply(file, tmp_path, mode="overwrite", vocabulary=words, evidence=True)
    assert file.read_bytes() != before
    (result,) = undo_tags(journal)
    assert result["status"] == "restored"
    assert file.read_bytes() == before
    assert file.stat().st_mtime_ns == mtime
    assert undo_tags(journal)[0]["status"] == "already"


def test_evidence_is_written_if_asked(file, tmp_path):
    plan = tmp_path / "plan.jsonl"
    plan_tags([record(file, "dub", 0.75)], plan, evidence=True, model="sha256:1")
    assert apply_tags(plan)[0]["status"] == "written"
    assert Tags(file).evidence() == {
        "SKGENRE_GENRE": "dub",
        "SKGENRE_CONFIDENCE": "0.750000",
        "SKGENRE_MODEL": "sha256:1",
    }


def test_overwrite_and_append(file, tmp_path):
    tag(file, genre=["Rock", "Pop"])
    apply(file, tmp_path, mode="append")
    assert Tags(file).genres() == ["Rock", "Pop", "dub"]
    (tmp_path / "plan.jsonl.journal").unlink()
    apply(file, tmp_path, mode="overwrite", genre="swing")
    assert Tags(file).genres() == ["swing"]


@pytest.mark.parametrize("ending", ["ogg", "opus", "mp3", "m4a"])
def test_the_journal_holds_little_of_a_file_whose_parts_move(ending, tmp_path):
    file = write_file(tmp_path / f"a.{ending}", 30.0)
    _, journal = apply(file, tmp_path, vocabulary={"dub": "long " * 12_000})
    assert journal.stat().st_size < file.stat().st_size / 20


# A writer that does harm


def _spoil(monkeypatch, spoil):
    """Make mutagen do something else too when it saves a FLAC file."""
    save = FLAC.save

    def save_and_spoil(self, path):
        spoil(self, path)
        save(self, path)

    monkeypatch.setattr(FLAC, "save", save_and_spoil)


def _flip_last_byte(path):
    with open(path, "r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        last = stream.read(1)[0]
        stream.seek(-1, os.SEEK_END)
        stream.write(bytes([last ^ 1]))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda audio, path: audio.tags.__delitem__("title"), "other tags of it would change"),
        (lambda audio, path: audio.clear_pictures(), "other tags of it would change"),
        (lambda audio, path: _flip_last_byte(path), "its sound would change"),
        (
            lambda audio, path: audio.tags.__delitem__("genre"),
            "it would read as [], not as ['dub']",
        ),
    ],
    ids=["title", "picture", "sound", "genre"],
)
def test_a_copy_that_is_not_as_planned_never_takes_the_place(spoil, reason, tmp_path, monkeypatch):
    file = tag(write_file(tmp_path / "music" / "a.flac"), title="T")
    audio, picture = FLAC(file), Picture()
    picture.data = b"x" * 100
    audio.add_picture(picture)
    audio.save()
    before = file.read_bytes()
    _spoil(monkeypatch, spoil)
    result, journal = apply(file, tmp_path)
    assert (result["status"], result["reason"]) == ("refused", reason)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["a.flac"]
    assert len(journal.read_bytes().splitlines()) == 1


def test_a_file_that_changes_meanwhile_is_left_alone(tmp_path, monkeypatch):
    file = write_file(tmp_path / "a.flac")
    _spoil(monkeypatch, lambda audio, path: file.write_bytes(b"another program's"))
    result, _ = apply(file, tmp_path)
    assert (result["status"], result["reason"]) == ("refused", "changed since the plan")
    assert file.read_bytes() == b"another program's"
    monkeypatch.undo()
    assert apply_tags(tmp_path / "plan.jsonl")[0]["status"] == "refused"


def test_a_genre_that_would_read_as_another_is_refused(tmp_path):
    file = write_file(tmp_path / "a.mp3")
    result, _ = apply(file, tmp_path, vocabulary={"dub": "17"})
    assert result["reason"] == "it would read as ['Rock'], not as ['17']"


# ID3 and its neighbours


@pytest.mark.parametrize("version", [3, 4])
def test_the_version_and_the_other_frames_of_id3_stay(version, tmp_path):
    file = write_file(tmp_path / "a.mp3")
    year = TYER(encoding=0, text=["1999"]) if version == 3 else TDRC(encoding=0, text=["1999"])
    picture = APIC(encoding=0, mime="image/png", type=3, desc="x", data=os.urandom(50_000))
    artists = TPE1(encoding=1, text=["A", "B"])
    save_id3(file, year, picture, artists, v2_version=version, v23_sep=None)
    before = {key: repr(frame) for key, frame in ID3(file, translate=False).items()}
    _, journal = apply(file, tmp_path, vocabulary=WORDS, evidence=True)
    after = ID3(file, translate=False)
    assert after.version == (2, version, 0)
    assert after.pop("TCON").text == ["Dub", "Reggaé"]
    fields = [key for key in after if key.startswith("TXXX:SKGENRE_")]
    assert len(fields) == 2
    assert {key: repr(after[key]) for key in after if key not in fields} == before
    assert journal.stat().st_size < 5000  # the picture is not stored again


def test_numbers_of_id3_are_genres(tmp_path):
    file = write_file(tmp_path / "a.mp3")
    save_id3(file, TCON(encoding=0, text=["(17)"]))
    assert Tags(file).genres() == ["Rock"]
    assert apply(file, tmp_path)[0] is None  # it has a genre
    apply(file, tmp_path, mode="append")
    assert ID3(file)["TCON"].text == ["Rock", "dub"]


def test_id3_version_2_2_is_left_alone(tmp_path):
    file = write_file(tmp_path / "a.mp3")
    sound = file.read_bytes()
    frame = b"TT2" + (2).to_bytes(3, "big") + b"\0T"
    file.write_bytes(b"ID3\2\0\0" + bytes([0, 0, 0, len(frame)]) + frame + sound)
    plan = tmp_path / "plan.jsonl"
    assert plan_tags([record(file)], plan)["skip"] == 1
    assert "ID3v2.2" in plan.read_text(encoding="utf-8")


@pytest.mark.parametrize(("word", "number"), [("Reggae", 16), ("Gqom", 255)])
def test_id3v1_keeps_its_texts_and_gets_the_number_of_the_genre(word, number, tmp_path):
    file = write_file(tmp_path / "a.mp3")
    sound = file.read_bytes()
    v1 = b"TAG" + b"An odd title".ljust(30, b" ") + b"Artist".ljust(30, b"\0") + bytes(64) + b"\x11"
    file.write_bytes(sound + v1)
    assert Tags(file).genres() == ["Rock"]  # 17, by ID3v1
    result, journal = apply(file, tmp_path, mode="overwrite", vocabulary={"dub": word})
    assert result["status"] == "written"
    assert file.read_bytes()[-128:] == v1[:-1] + bytes([number])
    assert ID3(file)["TIT2"].text == ["An odd title"]  # readers of ID3v2 alone lose nothing
    undo_tags(journal)
    assert file.read_bytes() == sound + v1


@pytest.mark.parametrize("has_v1", [True, False])
def test_a_genre_in_an_ape_tag_counts_and_is_replaced(has_v1, tmp_path):
    file = write_file(tmp_path / "a.mp3")
    ape = APEv2()
    ape["Genre"], ape["Title"] = "Rock", "T"
    ape.save(file)
    if has_v1:
        file.write_bytes(file.read_bytes() + b"TAG" + b"T".ljust(124, b"\0") + b"\xff")
    before = file.read_bytes()
    assert Tags(file).genres() == ["Rock"]
    result, journal = apply(file, tmp_path, mode="overwrite", vocabulary=WORDS)
    assert result["status"] == "written"
    assert list(APEv2(file)["Genre"]) == ["Dub", "Reggaé"]
    assert APEv2(file)["Title"] == "T"
    assert ID3(file)["TCON"].text == ["Dub", "Reggaé"]
    assert (file.read_bytes()[-128:-125] == b"TAG") == has_v1
    undo_tags(journal)
    assert file.read_bytes() == before


def test_lyrics_after_the_sound_are_never_lost(tmp_path):
    file = write_file(tmp_path / "a.mp3")
    ape = APEv2()
    ape["Genre"] = "Rock"
    ape.save(file)
    lyrics = b"LYRICSBEGININD0000200" + b"000021LYRICS200"
    file.write_bytes(file.read_bytes() + lyrics + b"TAG" + bytes(125))
    before = file.read_bytes()
    result, _ = apply(file, tmp_path, mode="overwrite")
    assert result["status"] == "refused" or lyrics in file.read_bytes()
    assert result["status"] == "written" or file.read_bytes() == before


def test_the_info_chunk_of_a_wav_file_is_a_genre_that_is_not_written(tmp_path):
    file = write_file(tmp_path / "a.wav")
    info = b"INFOIGNR" + (6).to_bytes(4, "little") + b"Rock\0\0"
    content = file.read_bytes() + b"LIST" + len(info).to_bytes(4, "little") + info
    file.write_bytes(content[:4] + (len(content) - 8).to_bytes(4, "little") + content[8:])
    assert Tags(file).genres() == ["Rock"]
    plan = tmp_path / "plan.jsonl"
    assert plan_tags([record(file)], plan)["keep"] == 1
    assert plan_tags([record(file)], plan, mode="overwrite")["skip"] == 1
    assert "INFO chunk, which is not written" in plan.read_text(encoding="utf-8")


# Files and their names


def test_permissions_and_attributes_stay_and_the_time_if_asked(tmp_path):
    for keep in (True, False):
        file = write_file(tmp_path / f"{keep}.flac")
        file.chmod(0o640)
        has_attributes = True
        try:
            os.setxattr(file, "user.mood", b"calm")
        except (OSError, AttributeError):
            has_attributes = False
        os.utime(file, ns=(10**18, 10**18))
        _, journal = apply(file, tmp_path, keep_mtime=keep)
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        assert (file.stat().st_mtime_ns == 10**18) == keep
        assert not has_attributes or os.getxattr(file, "user.mood") == b"calm"
        undo_tags(journal)
        assert file.stat().st_mtime_ns == 10**18
        journal.unlink()


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="needs root to change owners")
def test_the_owner_stays(tmp_path):
    file = write_file(tmp_path / "a.flac")
    os.chown(file, 1234, 1235)
    apply(file, tmp_path)
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 1235)


@pytest.mark.parametrize("name", ["a\nb.mp3", "été 演歌.mp3", os.fsdecode(b"a\xff.mp3"), "-x.mp3"])
def test_names_of_any_kind(name, tmp_path):
    file = tmp_path / name
    file.write_bytes(write_file(tmp_path / "plain.mp3").read_bytes())
    before = file.read_bytes()
    result, journal = apply(file, tmp_path)
    assert result == {"path": str(file), "status": "written", "reason": ""}
    assert undo_tags(journal)[0] == {"path": str(file), "status": "restored", "reason": ""}
    assert file.read_bytes() == before


def test_a_link_stays_a_link_and_its_file_is_tagged(tmp_path):
    file = write_file(tmp_path / "elsewhere" / "a.ogg")
    before = file.read_bytes()
    link = tmp_path / "music" / "link.ogg"
    link.parent.mkdir()
    link.symlink_to(file)
    plan = tmp_path / "plan.jsonl"
    counts = plan_tags([record(link), record(file)], plan)
    assert counts == {"write": 1, "keep": 0, "skip": 1}  # the same file twice
    assert [result["path"] for result in apply_tags(plan)] == [str(link)]
    assert link.is_symlink()
    assert Tags(file).genres() == ["dub"]
    undo_tags(tmp_path / "plan.jsonl.journal")
    assert link.is_symlink()
    assert file.read_bytes() == before


def test_files_are_refused_that_changed_since_the_plan(tmp_path):
    files = {
        name: write_file(tmp_path / f"{name}.flac", seed=i)
        for i, name in enumerate(("fine", "retagged", "gone", "read_only", "linked", "touched"))
    }
    plan = tmp_path / "plan.jsonl"
    plan_tags([record(file) for file in files.values()], plan)
    tag(files["retagged"], title="new")
    files["gone"].unlink()
    files["read_only"].chmod(0o444)
    os.link(files["linked"], tmp_path / "other.flac")
    os.utime(files["touched"])  # with the same content
    before = {name: file.read_bytes() for name, file in files.items() if name != "gone"}
    seen = []
    results = apply_tags(plan, report=lambda *of_file: seen.append(of_file))
    assert seen == [(result, 6) for result in results]
    reasons = {Path(result["path"]).stem: result["reason"] for result in results}
    assert reasons == {
        "fine": "",
        "touched": "",
        "retagged": "changed since the plan",
        "gone": "No such file or directory",
        "read_only": "is read-only",
        "linked": "has 2 names (hard links), which would become different files",
    }
    changed = {name for name in before if files[name].read_bytes() != before[name]}
    assert changed == {"fine", "touched"}


def test_undo_refuses_files_that_changed_since(tmp_path):
    file = write_file(tmp_path / "a.flac")
    _, journal = apply(file, tmp_path)
    tag(file, title="new")
    edited = file.read_bytes()
    (result,) = undo_tags(journal)
    assert result["status"] == "refused"
    assert result["reason"] == "changed since its tags were written"
    assert file.read_bytes() == edited


# The journal


def test_applying_again_does_nothing_and_after_undo_writes_again(tmp_path):
    file = write_file(tmp_path / "a.mp3")
    plan = tmp_path / "plan.jsonl"
    plan_tags([record(file)], plan)
    assert [apply_tags(plan)[0]["status"] for _ in range(2)] == ["written", "already"]
    undo_tags(f"{plan}.journal")
    assert apply_tags(plan)[0]["status"] == "written"
    assert undo_tags(f"{plan}.journal")[0]["status"] == "restored"


@pytest.mark.parametrize("n_lost", [1, 10, 60])
def test_an_unfinished_last_line_of_the_journal_is_repaired(n_lost, tmp_path):
    """As a kill between the replacement and the end of its line leaves it."""
    file = write_file(tmp_path / "a.mp3")
    before = file.read_bytes()
    _, journal = apply(file, tmp_path)
    journal.write_bytes(journal.read_bytes()[:-n_lost])
    assert apply_tags(tmp_path / "plan.jsonl")[0]["status"] == "written"
    events = [json.loads(line).get("event") for line in journal.read_bytes().splitlines()]
    assert events == [None, "begin", "done"]
    undo_tags(journal)
    assert file.read_bytes() == before


def test_a_journal_belongs_to_its_plan(tmp_path):
    file = write_file(tmp_path / "a.mp3")
    apply(file, tmp_path)
    plan_tags([record(file, "swing")], tmp_path / "plan.jsonl", mode="overwrite")
    with pytest.raises(ValueError, match=r"plan\.jsonl\.journal is the journal of another plan"):
        apply_tags(tmp_path / "plan.jsonl")
    assert Tags(file).genres() == ["dub"]


def test_what_is_no_journal_is_not_overwritten(tmp_path):
    file = write_file(tmp_path / "a.mp3")
    plan_tags([record(file)], tmp_path / "plan.jsonl")
    for content in (b"dear diary", b"dear\ndiary\n", b'{"schema": "mine"}\n'):
        diary = tmp_path / "diary.txt"
        diary.write_bytes(content)
        with pytest.raises(ValueError, match=r"diary\.txt.* (is no|journal)"):
            apply_tags(tmp_path / "plan.jsonl", journal=diary)
        assert diary.read_bytes() == content
    with pytest.raises(FileNotFoundError, match=r"no journal .*absent"):
        undo_tags(tmp_path / "absent")


def test_two_processes_do_not_share_a_journal(tmp_path):
    file = write_file(tmp_path / "a.mp3")
    plan = tmp_path / "plan.jsonl"
    plan_tags([record(file)], plan)
    errors = []

    def again(result, n_files):
        with pytest.raises(BlockingIOError, match="another process applies") as caught:
            apply_tags(plan)
        errors.append(caught.value)

    apply_tags(plan, report=again)
    assert len(errors) == 1


def test_without_mutagen_the_error_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mutagen", None)
    with pytest.raises(ImportError, match=r'pip install "skgenre\[tags\]"'):
        plan_tags([], tmp_path / "plan.jsonl")
    with pytest.raises(ImportError, match=r'pip install "skgenre\[tags\]"'):
        apply_tags(tmp_path / "plan.jsonl")


def test_a_title_frame_survives_in_wav_and_aiff_beside_other_chunks(tmp_path):
    for ending, order in (("wav", "little"), ("aiff", "big")):
        file = write_file(tmp_path / f"a.{ending}")
        note = b"note" + (5).to_bytes(4, order) + b"hello\0"
        content = file.read_bytes() + note
        file.write_bytes(content[:4] + (len(content) - 8).to_bytes(4, order) + content[8:])
        audio = mutagen.File(file)
        audio.add_tags()
        audio.tags.add(TIT2(encoding=3, text=["T"]))
        audio.save()
        before = file.read_bytes()
        result, journal = apply(file, tmp_path)
        assert result["status"] == "written"
        assert note in file.read_bytes()
        undo_tags(journal)
        assert file.read_bytes() == before
        journal.unlink()
