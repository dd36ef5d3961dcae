import numpy as np
import pytest
import soundfile
from numpy.testing import assert_array_equal

from skgenre import load_gtzan
from skgenre.datasets.gtzan import GENRES, clip_name, read_facts, read_groups, read_parts

FACTS = read_facts()
# Of each part; jazz.00033 repeats jazz.00051, and the artist of jazz.00047 is unknown.
SOME = ("blues.00012", "jazz.00033", "jazz.00047", "jazz.00051", "jazz.00054", "pop.00014")


def write_audio(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(400), 8000)
    return path


def write_clips(folder, names=SOME, ending="wav"):
    for name in names:
        write_audio(folder / name.partition(".")[0] / f"{name}.{ending}")
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_clips(tmp_path / "genres")


# The published facts


def test_counts_of_the_published_lists():
    assert len(FACTS) == 1000
    assert list(FACTS) == [f"{genre}.{number:05d}" for genre in GENRES for number in range(100)]
    filtered, stratified = read_parts("fault_filtered"), read_parts("stratified")
    assert [len(filtered[part]) for part in ("train", "valid", "test")] == [443, 197, 290]
    assert [len(stratified[part]) for part in ("train", "valid", "test")] == [500, 250, 250]
    assert len(frozenset().union(*filtered.values())) == 930
    assert len(frozenset().union(*stratified.values())) == 1000


def test_faults_are_what_the_partition_leaves_out():
    faults = {name: clip.fault for name, clip in FACTS.items() if clip.fault}
    assert set(faults) == {name for name, clip in FACTS.items() if not clip.fault_filtered}
    counts = {kind: list(faults.values()).count(kind) for kind in set(faults.values())}
    assert counts == {"replica": 52, "repetition": 15, "distorted": 1, "other": 2}
    assert faults["reggae.00086"] == "distorted"
    assert faults["metal.00058"] == "replica"
    assert FACTS["metal.00058"].repeats == "rock.00016"


def test_repeats_go_both_ways():
    for name, clip in FACTS.items():
        for other in clip.repeats.split():
            assert name != other
            assert name in FACTS[other].repeats.split()
            assert FACTS[other].artist == clip.artist
        if clip.fault in ("replica", "repetition"):
            assert clip.repeats
    for first, second in [("disco.00098", "disco.00099"), ("pop.00067", "pop.00071")]:
        assert FACTS[first].repeats == second


def test_groups_join_artists_who_made_a_clip_together():
    groups = read_groups()
    assert groups["reggae.00003"] == "Bob Marley; Lauryn Hill"  # Bob Marley alone
    duet = next(name for name, clip in FACTS.items() if clip.artist == "Lauryn Hill; Bob Marley")
    assert groups[duet] == groups["hiphop.00039"] == "Bob Marley; Lauryn Hill"
    assert groups["blues.00000"] == "John Lee Hooker"
    members: dict[str, set[str]] = {}
    for name, clip in FACTS.items():
        for artist in clip.artist.split(";"):
            members.setdefault(artist.strip() or clip.genre, set()).add(groups[name])
    assert all(len(of) == 1 for of in members.values())
    unknown = [name for name, clip in FACTS.items() if not clip.artist]
    assert len(unknown) == 17
    assert groups["jazz.00047"] == groups["jazz.00093"] == "unknown jazz artist"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("genres/jazz/jazz.00054.wav", "jazz.00054"),
        (r"D:\gtzan\jazz\jazz.00054.au", "jazz.00054"),
        ("Jazz00054.MP3", "jazz.00054"),
        ("jazz_00054.ogg", "jazz.00054"),
        ("jazz-00054.wav.flac", "jazz.00054"),
        ("jazz.00054", "jazz.00054"),
        ("jazz.00100.wav", None),
        ("jazz.54.wav", None),
        ("jazz.000541.wav", None),
        ("acid jazz.00054.wav", None),
        ("polka.00000.wav", None),
    ],
)
def test_names_of_clips(path, name):
    assert clip_name(path) == name


# Reading a folder


def test_what_is_known_of_the_clips(folder):
    clips = load_gtzan(folder, on_missing="ignore")
    assert_array_equal(clips.names, SOME)
    assert_array_equal(
        clips.data, [str(folder / name.split(".")[0] / f"{name}.wav") for name in SOME]
    )
    assert_array_equal(clips.target, [name.split(".")[0] for name in SOME])
    assert clips.target_names == ["blues", "jazz", "pop"]
    assert clips.artists[0] == "Robert Johnson"
    assert clips.titles[0] == "Cross Road Blues"
    assert clips.artists[2] == clips.groups[2] == "unknown jazz artist"
    assert clips.titles[2] == ""
    assert clips.artists[5] == "unknown pop artist"
    assert clips.titles[5] == "Every Breath You Take"
    assert_array_equal(clips.faults, ["", "replica", "", "", "", ""])
    assert_array_equal(clips.repeats, ["", "jazz.00051", "", "jazz.00033", "", ""])
    assert_array_equal(clips.fault_filtered, ["test", "", "train", "train", "train", "test"])
    assert_array_equal(clips.stratified[:2], ["test", FACTS["jazz.00033"].stratified])
    assert len(clips.missing) == 994
    assert clips.skipped == []
    assert "6 of 1000 clips" in clips.DESCR
    assert "fault-filtered partition: train 3, valid 0, test 2" in clips.DESCR


@pytest.mark.parametrize("layout", ["genres", "Data/genres_original", "flat"])
@pytest.mark.parametrize("ending", ["wav", "au", "ogg", "mp3", "flac"])
def test_usual_layouts_and_formats(tmp_path, layout, ending):
    if layout == "flat":
        for name in SOME:
            write_audio(tmp_path / f"{name}.{ending}")
    else:
        write_clips(tmp_path / layout, ending=ending)
        (tmp_path / layout / "features_30_sec.csv").write_text("filename\n")
        (tmp_path / layout / "jazz" / "._jazz.00001.wav").write_bytes(b"resource fork")
    clips = load_gtzan(str(tmp_path), on_missing="ignore")
    assert_array_equal(clips.names, SOME)
    assert all(path.endswith(ending) for path in clips.data)


def test_all_of_it_is_read_in_silence(tmp_path):
    for name in FACTS:
        (tmp_path / name.partition(".")[0]).mkdir(exist_ok=True)
    source = write_audio(tmp_path / "blues" / "blues.00000.wav")
    for name in list(FACTS)[1:]:
        (tmp_path / name.partition(".")[0] / f"{name}.wav").hardlink_to(source)
    clips = load_gtzan(tmp_path)
    assert len(clips.data) == 1000
    assert clips.missing == []
    assert_array_equal(np.unique(clips.target, return_counts=True)[1], [100] * 10)
    less = load_gtzan(tmp_path, exclude="faults", on_missing="raise")
    assert_array_equal(less.names, clips.names[clips.faults == ""])
    assert len(less.data) == 930
    assert less.missing == []
    assert set(less.fault_filtered) == {"train", "valid", "test"}


def test_missing_clips_are_counted(folder):
    with pytest.warns(UserWarning, match="994 of 1000 clips are not in .*: blues.00000") as caught:
        clips = load_gtzan(folder)
    assert len(caught) == 1
    assert caught[0].filename == __file__  # the warning points to the caller
    assert "jazz.00055" in clips.missing
    with pytest.raises(ValueError, match=r"994 of 1000 clips are not in .*on_missing='warn'"):
        load_gtzan(folder, on_missing="raise")
    # A clip with a fault is not missed where it is not wanted.
    with pytest.warns(UserWarning, match="925 of 930 clips"):
        clips = load_gtzan(folder, exclude="faults")
    assert_array_equal(clips.names, [name for name in SOME if name != "jazz.00033"])
    assert set(clips.faults) == {""}
    assert "Known faults left out: 70" in clips.DESCR


def test_corrupt_clips_are_left_out_or_named(folder):
    corrupt = folder / "jazz" / "jazz.00054.wav"
    corrupt.write_bytes(b"no header of any kind" * 50)
    with pytest.warns(UserWarning, match=r"1 clips of .* left out:\n- .*jazz\.00054") as caught:
        clips = load_gtzan(folder, on_missing="ignore")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert_array_equal(clips.names, [name for name in SOME if name != "jazz.00054"])
    assert len(clips.data) == len(clips.target) == len(clips.groups) == 5
    assert [path for path, _ in clips.skipped] == [str(corrupt)]
    assert "jazz.00054" not in clips.missing
    with pytest.raises(ValueError, match=r"1 clips .*cannot be used:\n(.*\n)*.*on_corrupt='warn'"):
        load_gtzan(folder, on_missing="ignore", on_corrupt="raise")
    silent = load_gtzan(folder, on_missing="ignore", on_corrupt="ignore")
    assert silent.skipped == clips.skipped


def test_many_corrupt_clips_are_counted(folder):
    for number in range(60, 72):
        (folder / "jazz" / f"jazz.{number:05d}.wav").write_bytes(b"")
    with pytest.raises(ValueError, match="12 clips of") as caught:
        load_gtzan(folder, on_missing="ignore", on_corrupt="raise")
    assert "jazz.00069" in str(caught.value)
    assert "jazz.00070" not in str(caught.value)
    assert "and 2 more" in str(caught.value)


def test_nothing_is_left(tmp_path):
    write_clips(tmp_path, ["jazz.00033"])
    with pytest.raises(ValueError, match=r"None of the 1 clips found in .* set exclude=None"):
        load_gtzan(tmp_path, exclude="faults", on_missing="ignore")
    (tmp_path / "jazz" / "jazz.00033.wav").write_bytes(b"")
    with pytest.raises(ValueError, match=r"None of the 1 clips found .*: 1 cannot be used"):
        load_gtzan(tmp_path, on_missing="ignore", on_corrupt="ignore")


def test_other_files_are_named(folder):
    write_audio(folder / "jazz" / "mine.wav")
    write_audio(folder / "jazz" / "jazz.00100.wav")
    with pytest.warns(UserWarning, match=r"2 audio files .*jazz\.00100\.wav, .*mine") as caught:
        clips = load_gtzan(folder, on_missing="ignore")
    assert caught[0].filename == __file__
    assert len(clips.data) == 6


def test_clips_of_other_formats_are_counted_and_listed(folder):
    lost = folder / "jazz" / "jazz.00001.m4p"
    lost.write_bytes(b"not read")
    with pytest.warns(UserWarning, match=r"1 audio files .* are not read .*00001\.m4p") as caught:
        clips = load_gtzan(folder, on_missing="ignore")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert [path for path, _ in clips.skipped] == [str(lost)]


def test_a_clip_twice(folder):
    write_clips(folder, ["jazz.00051"], "au")
    with pytest.raises(ValueError, match=r"1 clips .* more than once, such as .*\.au and .*\.wav"):
        load_gtzan(folder)
    clips = load_gtzan(folder, on_missing="ignore", extensions=["WAV"])
    assert len(clips.data) == 6


def test_a_clip_in_the_folder_of_another_genre(folder):
    write_audio(folder / "rock" / "jazz.00001.wav")
    with pytest.raises(ValueError, match=r"jazz\.00001\.wav is 'jazz' by its name, .* 'rock'"):
        load_gtzan(folder)


def test_no_clips(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*absent"):
        load_gtzan(tmp_path / "absent")
    write_audio(tmp_path / "rock" / "song.wav")
    with pytest.raises(NotADirectoryError, match=r"song\.wav is a file"):
        load_gtzan(tmp_path / "rock" / "song.wav")
    with pytest.raises(ValueError, match=r"no clips of GTZAN .* 1 other audio files; expected"):
        load_gtzan(tmp_path)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"exclude": "fault"}, "'exclude' parameter"),
        ({"on_missing": "skip"}, "'on_missing' parameter"),
        ({"on_corrupt": True}, "'on_corrupt' parameter"),
        ({"extensions": []}, "must list file name extensions"),
    ],
)
def test_bad_parameters(folder, params, message):
    with pytest.raises(ValueError, match=message):
        load_gtzan(folder, **params)
