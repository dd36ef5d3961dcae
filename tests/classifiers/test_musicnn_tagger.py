"""MusicnnTagger, on small random networks of the architecture of musicnn."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from _clips import music
from _musicnn import TAGS, SmallWeights, write_random_weights
from sklearn.base import clone, is_classifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skgenre import (
    MusicnnExtractor,
    MusicnnTagger,
    NoSoundWarning,
    evaluate,
    load,
    model_card,
    read_model_info,
    save,
)

TAGGER = MusicnnTagger(SmallWeights())
TRACKS = [(music(1.0, seed=seed), 22050) for seed in range(4)]
GENRES = {"loud": ["rock", "jazz"], "calm": "slow"}


def test_tags_are_the_sigmoid_of_the_extractor_s_logits():
    tracks = [np.tile(track, 3) for track, _ in TRACKS]
    found = TAGGER.predict_tag_proba([(track, 16000) for track in tracks])
    logits = MusicnnExtractor(SmallWeights(), sampling_rate=16000).transform(tracks)[:, -3:]
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), rtol=1e-5)
    assert TAGGER.tags_.tolist() == list(TAGS)


def test_genres_are_the_largest_of_their_tags_as_shares():
    tagger = MusicnnTagger(SmallWeights(), genres=GENRES)
    tags = tagger.predict_tag_proba(TRACKS)
    calm, loud = tags[:, 2], tags[:, :2].max(axis=1)
    expected = np.column_stack([calm, loud]) / (calm + loud)[:, np.newaxis]
    np.testing.assert_allclose(tagger.predict_proba(TRACKS), expected)
    assert tagger.classes_.tolist() == ["calm", "loud"]
    assert tagger.predict(TRACKS).tolist() == np.where(calm > loud, "calm", "loud").tolist()


def test_genres_may_be_integers():
    tagger = MusicnnTagger(SmallWeights(), genres={7: "slow", 3: "rock"}).fit(TRACKS, [3, 3, 7, 7])
    assert tagger.classes_.tolist() == [3, 7]
    assert set(tagger.predict(TRACKS).tolist()) <= {3, 7}


def test_the_published_tags_that_name_genres_are_the_default():
    assert len(MusicnnTagger("msd").classes_) == 29
    assert {"blues", "Hip-Hop", "House"} <= set(MusicnnTagger("msd").classes_)
    assert len(MusicnnTagger("mtt").classes_) == 13
    assert "sad" not in MusicnnTagger("msd").classes_
    assert MusicnnTagger(SmallWeights()).classes_.tolist() == sorted(TAGS)


def test_fit_learns_nothing_and_checks_the_labels():
    tagger = MusicnnTagger(SmallWeights(), genres=GENRES)
    before = tagger.predict_proba(TRACKS)
    tagger.fit(TRACKS, ["calm", "loud", "calm", "calm"])
    np.testing.assert_array_equal(tagger.predict_proba(TRACKS), before)
    with pytest.raises(ValueError, match=r"y has the genres \['polka'\].*the tags are \['rock'"):
        tagger.fit(TRACKS, ["calm", "loud", "calm", "polka"])


@pytest.mark.parametrize(
    ("genres", "message"),
    [
        ({"a": "rock", "b": "polka"}, r"'b' to \['polka'\], but expected one or more tags .* jazz"),
        ({"a": "rock", "b": []}, "'b' to"),
        ({"a": "rock"}, "must have two genres or more"),
        ({"a": "rock", 1: "slow"}, "all strings or all integers"),
        (["rock"], "'genres' parameter"),
    ],
)
def test_wrong_genres_are_refused(genres, message):
    with pytest.raises(ValueError, match=message):
        MusicnnTagger(SmallWeights(), genres=genres).fit(TRACKS)


def test_a_track_without_sound_has_no_tags():
    tracks = [TRACKS[0], (np.zeros(22050, dtype=np.float32), 22050)]
    with pytest.warns(NoSoundWarning, match="track 1"):
        tags = TAGGER.predict_tag_proba(tracks)
    assert tags[0].all()
    assert not tags[1].any()
    with pytest.warns(NoSoundWarning):
        np.testing.assert_allclose(TAGGER.predict_proba(tracks)[1], 1 / 3)


def test_it_is_evaluated_like_any_classifier():
    tagger = MusicnnTagger(SmallWeights(), genres=GENRES)
    y = np.where(np.arange(4) % 2, "calm", "loud")
    assert is_classifier(tagger)
    result = evaluate(tagger, (TRACKS, y), protocol="track-random", n_folds=2)
    assert result.n_tracks == 4
    assert result.labels == ["calm", "loud"]


def test_copies_predict_the_same_and_refuse_other_weights(tmp_path):
    path = write_random_weights(tmp_path / "weights.npz")
    tagger = MusicnnTagger(path, genres=GENRES)
    expected = tagger.predict_proba(TRACKS)
    loaded = load(save(tagger, tmp_path / "tagger.skgenre"))
    pickled = pickle.loads(pickle.dumps(tagger))
    for copy in (loaded, pickled, clone(tagger)):
        np.testing.assert_array_equal(copy.predict_proba(TRACKS), expected)
    write_random_weights(path, seed=1)
    for copy in (loaded, pickled):
        with pytest.raises(ValueError, match="but the model was fitted or saved with"):
            copy.predict(TRACKS)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="no weights of musicnn at"):
        loaded.predict(TRACKS)


def test_model_files_and_cards_state_the_terms_of_the_weights(tmp_path):
    extractor = MusicnnExtractor(SmallWeights())
    X = [track for track, _ in TRACKS]
    model = make_pipeline(extractor, SVC()).fit(X, ["a", "b"] * 2)
    for fitted in (model, TAGGER):
        path = save(fitted, tmp_path / "model.skgenre")
        (terms,) = read_model_info(path).licences
        assert terms.startswith("musicnn random (weights with SHA-256 ")
        assert terms.endswith("): free to use. Trained on random numbers")
        assert terms in model_card(path)
    assert read_model_info(save(SVC().fit([[0], [1]], [0, 1]), path)).licences == []


def test_a_fitted_tagger_is_saved_without_the_weights(tmp_path):
    path = write_random_weights(tmp_path / "weights.npz")
    tagger = MusicnnTagger(path, genres=GENRES).fit(TRACKS)
    terms = read_model_info(save(tagger, tmp_path / "with.skgenre")).licences
    path.unlink()
    for model in (tagger, pickle.loads(pickle.dumps(tagger)), load(tmp_path / "with.skgenre")):
        file = save(model, tmp_path / "without.skgenre")
        assert read_model_info(file).licences == terms
        with pytest.raises(FileNotFoundError, match="`skgenre fetch musicnn`"):
            load(file).predict(TRACKS)


def test_output_is_kept_in_memory(tmp_path):
    tagger = MusicnnTagger(SmallWeights(), memory=tmp_path, n_jobs=2)
    found = tagger.predict_proba(TRACKS)
    assert list(tmp_path.rglob("*.npy"))
    np.testing.assert_array_equal(tagger.predict_proba(TRACKS), found)
    np.testing.assert_array_equal(TAGGER.predict_proba(TRACKS), found)
