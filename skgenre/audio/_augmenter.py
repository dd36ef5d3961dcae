"""Augmentation: changed copies of the training segments."""

from __future__ import annotations

import hashlib
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from skgenre.base import TrackTransformer
from skgenre.utils._librosa import import_librosa
from skgenre.utils._random import draw_seeds
from skgenre.utils._waveforms import check_segments, with_rate

# One row of the table of effects. NaN means that the copy goes without the effect.
EFFECTS = np.dtype(
    [
        ("track", np.intp),
        ("copy", np.intp),
        ("n_steps", np.float64),
        ("rate", np.float64),
        ("gain_db", np.float64),
        ("noise_level", np.float64),
        ("snr_db", np.float64),
        ("seed", np.uint64),
    ]
)


class Augmenter(TrackTransformer):
    """Add changed copies of the segments to the training tracks.

    ``fit_transform``, which a pipeline calls in ``fit``, appends the copies to the
    segments of each track, originals first. ``transform``, which it calls in ``predict``,
    returns the segments unchanged. Rows stay tracks, a copy stays on its track's side of a
    split, and only training data are ever changed. (The two methods differ on purpose, as in
    scikit-learn's ``TargetEncoder``.)

    A table of effects is drawn first and then applied. The effects of a track depend only on
    ``random_state`` and on its own samples: not on the other tracks, its row, or the process
    that computes it.

    Parameters
    ----------
    n_copies : int, default=1
        Changed copies of each track. 0 adds nothing.
    effects_per_copy : int or "all", default=1
        Effects that a copy gets, drawn from those that are switched on.
    semitones : (float, float) or None, default=(-2.0, 2.0)
        Range of the pitch shift in semitones; the duration stays. None switches it off.
    stretch_rates : (float, float) or None, default=(0.8, 1.25)
        Range of the time stretch: above 1 is faster; the pitch stays. A segment that becomes
        shorter is repeated from its start, one that becomes longer is cut. None switches it
        off.
    gain_db : (float, float) or None, default=None
        Range of the gain in decibels. None switches it off.
    noise_level : float or None, default=0.005
        Standard deviation of the added white Gaussian noise, in units of full scale. None
        switches it off.
    snr_db : (float, float) or None, default=None
        Range of the signal-to-noise ratio in decibels: noise relative to the loudness of each
        segment, instead of ``noise_level``.
    sampling_rate : float, default=22050
        Rate of the waveforms in Hz. Waveforms known to have another rate are refused.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws. None draws anew in each fit.

    Attributes
    ----------
    effects_ : structured ndarray of shape (n_tracks * n_copies,)
        The effects of the last ``fit_transform``: "track", "copy", "n_steps" (semitones),
        "rate", "gain_db", "noise_level", "snr_db", and the "seed" of the noise. NaN where
        a copy has no such effect.
    seed_ : int
        The seed drawn from ``random_state`` in the last fit.

    References
    ----------
    .. [1] Y. Hu and G. Mogos, "Music genres classification by deep learning", 2022:
       pitch shift, time stretch and white noise. (Noise inside the network, as there, is
       ``input_noise`` of the classifiers.)

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import Augmenter
    >>> segments = np.random.default_rng(0).normal(size=(2, 3, 22050)).astype(np.float32)
    >>> augmenter = Augmenter(n_copies=2, random_state=0)
    >>> augmenter.fit_transform(segments).shape
    (2, 9, 22050)
    >>> augmenter.transform(segments).shape
    (2, 3, 22050)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "n_copies": [Interval(Integral, 0, None, closed="left")],
        "effects_per_copy": [Interval(Integral, 1, None, closed="left"), StrOptions({"all"})],
        "semitones": ["array-like", None],
        "stretch_rates": ["array-like", None],
        "gain_db": ["array-like", None],
        "noise_level": [Interval(Real, 0, None, closed="neither"), None],
        "snr_db": ["array-like", None],
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_copies=1,
        effects_per_copy=1,
        semitones=(-2.0, 2.0),
        stretch_rates=(0.8, 1.25),
        gain_db=None,
        noise_level=0.005,
        snr_db=None,
        sampling_rate=22050,
        random_state=None,
    ):
        self.n_copies = n_copies
        self.effects_per_copy = effects_per_copy
        self.semitones = semitones
        self.stretch_rates = stretch_rates
        self.gain_db = gain_db
        self.noise_level = noise_level
        self.snr_db = snr_db
        self.sampling_rate = sampling_rate
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check parameters and input and draw the seed; nothing is added to ``X``.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_samples)
            Segments; 2-D means one segment a track.
        y : Ignored
            Present by convention.

        Returns
        -------
        self : object
            The transformer itself.
        """
        super().fit(X, y)
        self.draw_seed()
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return the segments as they are: only training data are augmented.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_samples)
            Segments; 2-D means one segment a track.

        Returns
        -------
        Xt : ndarray of shape (n_tracks, n_segments, n_samples), float32
            The same segments.
        """
        self._validate_params()
        segments = self._check_each(X)
        if isinstance(X, np.ndarray) and X.ndim == 3 and X.dtype == np.float32:
            return with_rate(X, self.sampling_rate)  # no copy of what may be gigabytes
        return with_rate(np.stack(segments), self.sampling_rate)

    def fit_transform(self, X: Any, y: Any = None) -> NDArray[np.float32]:
        """Append the changed copies to the segments of each track.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_samples)
            Segments of the training tracks; 2-D means one segment a track.
        y : Ignored
            Present by convention.

        Returns
        -------
        Xt : ndarray of shape (n_tracks, n_segments * (1 + n_copies), n_samples), float32
            Originals first, then copy after copy.
        """
        self._validate_params()
        self.draw_seed()
        return super().fit_transform(X, y)

    def draw_effects(self, X: Any) -> NDArray[np.void]:
        """Draw the table of effects for tracks, without applying it.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_samples)
            Segments.

        Returns
        -------
        effects : structured ndarray of shape (n_tracks * n_copies,)
            Like the attribute ``effects_``. After a fit these are the effects that
            ``fit_transform`` draws; before, those of the seed from ``random_state``.
        """
        self._validate_params()
        seed = self.seed_ if hasattr(self, "seed_") else draw_seeds(self.random_state, 1)[0]
        tables = [self._draw(track, seed) for track in self._check_each(X)]
        for row, table in enumerate(tables):
            table["track"] = row
        return np.concatenate(tables)

    def draw_seed(self) -> int:
        """Draw the seed of a new fit and forget the effects of the last one.

        Returns
        -------
        seed : int
            The new ``seed_``.
        """
        self.seed_ = draw_seeds(self.random_state, 1)[0]
        self.effects_ = np.empty(0, dtype=EFFECTS)
        return self.seed_

    def _validate_params(self) -> None:
        super()._validate_params()
        for name in ("semitones", "stretch_rates", "gain_db", "snr_db"):
            _check_range(name, getattr(self, name), positive=name == "stretch_rates")
        if self.noise_level is not None and self.snr_db is not None:
            raise ValueError(
                f"noise_level={self.noise_level} and snr_db={self.snr_db} both set the noise; set "
                "one of them to None."
            )
        n_on = len(self._switched_on())
        if self.n_copies and not n_on:
            raise ValueError(
                "Augmenter has no effect to apply: switch on semitones, stretch_rates, gain_db, "
                "noise_level or snr_db, or set n_copies=0."
            )
        if self.n_copies and self.effects_per_copy != "all" and self.effects_per_copy > n_on:
            raise ValueError(
                f"effects_per_copy={self.effects_per_copy}, but only {n_on} effects are switched "
                f"on: {', '.join(self._switched_on())}. Switch on more or set it to 'all'."
            )

    def _check_track(self, track: Any, name: str) -> NDArray[np.float32]:
        return check_segments(track, name, self.sampling_rate, type(self).__name__)

    def _switched_on(self) -> list[str]:
        names = ["semitones", "stretch_rates", "gain_db", "noise_level", "snr_db"]
        return [name for name in names if getattr(self, name) is not None]

    def _draw(self, track: NDArray[np.float32], seed: int) -> NDArray[np.void]:
        """Draw the effects of one track's copies, from the seed and its samples alone."""
        sound = hashlib.blake2b(np.ascontiguousarray(track).tobytes(), digest_size=16).digest()
        rng = np.random.default_rng([seed, *np.frombuffer(sound, dtype=np.uint32)])
        table = np.zeros(self.n_copies, dtype=EFFECTS)
        for field in ("n_steps", "rate", "gain_db", "noise_level", "snr_db"):
            table[field] = np.nan
        names = self._switched_on()
        k = len(names) if self.effects_per_copy == "all" else self.effects_per_copy
        for copy, row in enumerate(table):
            row["copy"] = copy
            row["seed"] = rng.integers(2**63)
            for name in sorted(rng.choice(names, size=k, replace=False)):
                if name == "semitones":
                    row["n_steps"] = rng.uniform(*self.semitones)
                elif name == "stretch_rates":
                    # As often n times slower as n times faster.
                    row["rate"] = np.exp(rng.uniform(*np.log(self.stretch_rates)))
                elif name == "noise_level":
                    row["noise_level"] = self.noise_level
                else:
                    row[name] = rng.uniform(*getattr(self, name))
        return table

    def transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        return with_rate(self._check_track(track, name), self.sampling_rate)

    def augment_track(self, track: Any, name: str) -> tuple[NDArray[np.float32], NDArray[np.void]]:
        """Append the changed copies to the segments of one track, by the seed of the last fit.

        Parameters
        ----------
        track : ndarray of shape (n_segments, n_samples) or (n_samples,)
            One row of the input of ``fit_transform``.
        name : str
            What errors call the track.

        Returns
        -------
        segments : ndarray of shape (n_segments * (1 + n_copies), n_samples), float32
            Originals first, then copy after copy.
        effects : structured ndarray of shape (n_copies,)
            Their effects; "track" is 0.
        """
        segments = self._check_track(track, name)
        effects = self._draw(segments, self.seed_)
        copies = [apply_effects(segments, row, self.sampling_rate) for row in effects]
        return with_rate(np.concatenate([segments, *copies]), self.sampling_rate), effects

    def _fit_transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        segments, effects = self.augment_track(track, name)
        if self.n_copies:
            effects["track"] = self.effects_.size // self.n_copies
        self.effects_ = np.concatenate([self.effects_, effects])
        return segments


def apply_effects(
    segments: NDArray[np.float32], effects: np.void, sampling_rate: float
) -> NDArray[np.float32]:
    """Apply one row of the table of effects to the segments of a track.

    Parameters
    ----------
    segments : ndarray of shape (n_segments, n_samples), float32
        The segments; left as they are.
    effects : row of a structured array
        See :class:`Augmenter`.
    sampling_rate : float
        Rate in Hz.

    Returns
    -------
    changed : ndarray of shape (n_segments, n_samples), float32
        A function of its arguments alone.
    """
    n_samples = segments.shape[1]
    # The phase vocoder works in frames of 2048 samples, fewer only in a shorter segment.
    n_fft = min(2048, 2 ** int(np.log2(n_samples)))
    changed = segments
    if not np.isnan(effects["rate"]):
        stretch = import_librosa().effects.time_stretch
        changed = stretch(changed, rate=float(effects["rate"]), n_fft=n_fft)
        repeats = -(-n_samples // changed.shape[1])
        changed = np.tile(changed, (1, repeats))[:, :n_samples]
    if not np.isnan(effects["n_steps"]):
        shift = import_librosa().effects.pitch_shift
        changed = shift(changed, sr=sampling_rate, n_steps=float(effects["n_steps"]), n_fft=n_fft)
    if not np.isnan(effects["gain_db"]):
        changed = changed * np.float32(10 ** (effects["gain_db"] / 20))
    level: Any = effects["noise_level"]
    if not np.isnan(effects["snr_db"]):
        rms = np.sqrt(np.mean(changed**2, axis=1, keepdims=True))  # (n_segments, 1)
        level = rms * 10 ** (-effects["snr_db"] / 20)
    if not np.isnan(level).all():
        rng = np.random.default_rng(int(effects["seed"]))
        noise = rng.standard_normal(changed.shape, dtype=np.float32)
        changed = changed + np.asarray(level, dtype=np.float32) * noise
    return changed


def _check_range(name: str, value: Any, *, positive: bool) -> None:
    if value is None:
        return
    low_high = np.asarray(value, dtype=float)
    if low_high.shape != (2,) or not np.isfinite(low_high).all() or low_high[0] > low_high[1]:
        raise ValueError(
            f"{name}={value!r} is not a range: give a pair (lowest, highest), or None."
        )
    if positive and low_high[0] <= 0:
        raise ValueError(
            f"{name}={value!r} must be above 0: it is a rate, where 1 changes nothing."
        )
