"""A folder is read as GTZAN if its files have the names of clips, else by genre."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from skgenre.datasets import load_music


def test_load_music_recognises_gtzan(tmp_path):
    for name in ("jazz.00033", "jazz.00051", "rock.00040"):
        place = tmp_path / "gtzan" / name.partition(".")[0]
        place.mkdir(parents=True, exist_ok=True)
        soundfile.write(place / f"{name}.wav", np.zeros(800), 8000)
    assert load_music(tmp_path / "gtzan").groups.tolist() == [
        "Coleman Hawkins",
        "Coleman Hawkins",
        "Led Zeppelin",
    ]
    (tmp_path / "gtzan" / "tracks.csv").write_text(
        "file,artist\njazz/jazz.00033.wav,a\njazz/jazz.00051.wav,b\nrock/rock.00040.wav,c\n"
    )
    assert load_music(tmp_path / "gtzan").artists.tolist() == ["a", "b", "c"]
    (tmp_path / "gtzan" / "tracks.csv").rename(tmp_path / "gtzan.csv")
    assert load_music(tmp_path / "gtzan").artists.tolist() == ["a", "b", "c"]
    (tmp_path / "gtzan.csv").write_text("file,performer\njazz/jazz.00033.wav,a\n")
    with pytest.warns(UserWarning, match=r"gtzan\.csv is not used: it has the columns"):
        assert "groups" in load_music(tmp_path / "gtzan")
    with pytest.raises(FileNotFoundError):
        load_music(tmp_path / "none")


def test_load_music_leaves_out_tracks_without_artist(tmp_path):
    rows = ["file,artist"]
    for place in ("dub/a.wav", "dub/b.wav", "swing/c.wav"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / place, np.ones(800) / 2, 8000)
        rows.append(f"{place},{'Various Artists' if 'b' in place[4:] else place}")
    (tmp_path / "tracks.csv").write_text("\n".join(rows))
    with pytest.warns(UserWarning, match=r"1 of 3 files .*\n.*b\.wav: no artist but 'Various"):
        music = load_music(tmp_path)
    assert len(music.data) == 2
    assert music.skipped[0][0] == str(tmp_path / "dub" / "b.wav")
