"""From the scores of a classifier to probabilities, learnt on tracks that it has not seen."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import (
    _check_method_params,
    _num_samples,
    check_is_fitted,
    indexable,
)

from skgenre.classifiers._pair_sigmoids import (
    balancing_offsets,
    class_proba,
    slopes,
    temperature,
)
from skgenre.classifiers._target import check_target, check_two_classes
from skgenre.utils._pipeline import final_classifier
from skgenre.utils._random import draw_seeds
from skgenre.utils._site import DocLinkMixin

Array = NDArray[Any]


class PairwiseCalibratedClassifier(
    DocLinkMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """Turn the scores of a classifier into calibrated probabilities, pair by pair of classes.

    Each pair of classes has a sigmoid of one parameter, its slope, which is learnt on
    cross-validation folds that the classifier has not seen. The probabilities of the classes are
    those that agree best with the probabilities of all pairs. Where the score of a pair is 0, both
    classes are equally probable: a decision of the classifier is not overruled in favour of the
    class that has more tracks.

    Parameters
    ----------
    estimator : classifier
        Classifier or pipeline with ``decision_function``: a score for each pair of classes, as
        ``SVC(decision_function_shape="ovo")`` gives them, or a score for each class, whose
        differences are then the scores of the pairs.
    cv : int, splitter or iterable of (train, test), default=5
        Folds on which the slopes are learnt. An int is a number of shuffled, stratified folds; if
        all classes are smaller than that, there are fewer. A class may be missing from a fold,
        and from the folds of an iterable some tracks. The data of ``fit`` choose the slopes
        only: the classifier that predicts is fitted on all of them.
    refit_transformers : bool, default=True
        Whether each fold fits all steps of a pipeline. With False, all steps but the last are
        fitted once, on all tracks, and each fold fits the last step: many times faster where the
        transformers take most of the time. The transformers then know the tracks that are left
        out, which matters less the more tracks there are.
    balance : bool, default=False
        Whether to make up for unequal numbers of tracks by an offset for each class, and to
        sharpen or soften the probabilities by a temperature.
    random_state : int, RandomState instance or None, default=None
        Shuffles the folds of an int ``cv``.

    Attributes
    ----------
    estimator_ : classifier
        The classifier, fitted on all tracks.
    slopes_ : ndarray of shape (n_classes * (n_classes - 1) / 2,)
        Slope of the sigmoid of each pair of classes, in the order (0, 1), (0, 2), ..., (1, 2), ...
    offsets_ : ndarray of shape (n_classes,)
        What is added to the scores of each class, in units of the sigmoid; zeros without
        ``balance``.
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    n_features_in_ : int
        Number of columns of X in ``fit``, where the classifier has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of X in ``fit``, where the classifier has them.

    See Also
    --------
    sklearn.calibration.CalibratedClassifierCV : Sigmoids of the classes with an offset, isotonic
        regression, or one temperature.
    GenreClassifier : Calibrates its members by it.

    Notes
    -----
    With the score s of a pair, the probability of its first class is 1 / (1 + exp(-a s)), after
    [1]_ but without an offset, which over many pairs is at the expense of small classes. The
    logarithm of the slope a is the most probable one under a normal prior of standard deviation 1
    around the logarithm of the slope that suits all pairs together: pairs of few tracks borrow
    from the others. That common slope has the same kind of prior around 2, in units of the root
    mean square of the scores.

    A classifier that learnt from many tracks of one class and few of another favours the first
    where it is in doubt, as on a new artist, who is far from all tracks. With ``balance``, the
    probability of the first class of a pair is 1 / (1 + exp(-t (a s + b_i - b_j))), where each
    class has an offset b. It is by how much the offsets that suit the left-out tracks change if all
    classes count the same: 0 for classes of equal size. Both have a normal prior around 0 of
    variance 0.2. The temperature t is the one that makes the true classes of the left-out tracks
    most likely.

    From the probabilities r of the pairs follow those of the classes by the second method of
    [2]_: p minimises the sum over pairs of (r_ji p_i - r_ij p_j) squared.

    References
    ----------
    .. [1] J. Platt, "Probabilistic outputs for support vector machines and comparisons to
       regularized likelihood methods", 1999.
    .. [2] T.-F. Wu, C.-J. Lin and R. C. Weng, "Probability estimates for multi-class
       classification by pairwise coupling", JMLR 2004.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skgenre import PairwiseCalibratedClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> svc = SVC(decision_function_shape="ovo")
    >>> model = PairwiseCalibratedClassifier(svc, random_state=0).fit(X, y)
    >>> model.predict_proba(X[[0, 100]]).round(1)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "estimator": [HasMethods(["fit", "decision_function"])],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split"]), "array-like"],
        "refit_transformers": ["boolean"],
        "balance": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self, estimator, *, cv=5, refit_transformers=True, balance=False, random_state=None
    ):
        self.estimator = estimator
        self.cv = cv
        self.refit_transformers = refit_transformers
        self.balance = balance
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Fit the classifier on all tracks, and the slopes on tracks that were left out.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_features)
            Whatever the classifier takes.
        y : array-like of shape (n_tracks,)
            Class of each track.
        **params : dict
            Parameters of the classifier's ``fit``. Those with one value for each track are
            divided into the folds. With metadata routing, those that it requests, and, where the
            transformers are not refitted, that they request.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If there is only one class, or the numbers of tracks differ.
        """
        (X,) = indexable(X)
        if _num_samples(X) == 0:
            raise ValueError("X has 0 tracks (0 sample(s)); a minimum of 1 is required.")
        y = check_target(self, X, y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        check_two_classes(self, self.classes_)
        if get_config()["enable_metadata_routing"]:
            params = process_routing(self, "fit", **params).estimator.fit
        self.estimator_, unfitted = clone(self.estimator), self.estimator
        if self.refit_transformers or not isinstance(self.estimator, Pipeline):
            self.estimator_.fit(X, y, **_check_method_params(X, params))
        else:
            transformers, last = self.estimator_[:-1], f"{self.estimator.steps[-1][0]}__"
            of_last = {name: value for name, value in params.items() if name.startswith(last)}
            others = {name: value for name, value in params.items() if name not in of_last}
            X = transformers.fit_transform(X, y, **_check_method_params(X, others))
            self.estimator_.steps[:-1] = transformers.steps  # with a memory, they are copies
            params = {name.removeprefix(last): value for name, value in of_last.items()}
            self.estimator_[-1].fit(X, y, **_check_method_params(X, params))
            unfitted = self.estimator[-1]
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)  # of an earlier fit
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        first, second = np.triu_indices(len(self.classes_), 1)
        scores = np.full((len(y), len(first)), np.nan)
        for train, test in self._folds(X, codes):
            if len(np.unique(codes[train])) < 2:
                continue
            fold = clone(unfitted)
            X_train, y_train = _safe_split(fold, X, y, train)
            X_test, _ = _safe_split(fold, X, y, test, train)
            fold.fit(X_train, y_train, **_check_method_params(X, params, train))
            scores[test] = self._pair_scores(fold, X_test)
        # By how much each track lies on the side of its own class, for each pair.
        margins = [
            np.concatenate([scores[codes == i, pair], -scores[codes == j, pair]])
            for pair, (i, j) in enumerate(zip(first, second, strict=True))
        ]
        self.slopes_ = slopes([margin[~np.isnan(margin)] for margin in margins])
        self.offsets_ = np.zeros(len(self.classes_))
        if self.balance:
            self._balance(scores, codes)
        return self

    def _balance(self, scores: Array, codes: Array) -> None:
        """Learn the offsets of the classes, and apply the temperature to them and to the slopes."""
        self.offsets_ = balancing_offsets(scores * self.slopes_, codes)
        known = ~np.isnan(scores).any(axis=1)  # left out once, by a classifier of all classes
        of_pairs = scores[known] * self.slopes_ + self._pair_offsets()
        factor = temperature(of_pairs, codes[known], len(self.classes_))
        self.slopes_, self.offsets_ = self.slopes_ * factor, self.offsets_ * factor

    def _pair_offsets(self) -> Array:
        first, second = np.triu_indices(len(self.classes_), 1)
        return self.offsets_[first] - self.offsets_[second]

    def _folds(self, X: Any, codes: Array) -> list[tuple[Array, Array]]:
        if not isinstance(self.cv, Integral):
            return list(check_cv(self.cv, codes, classifier=True).split(X, codes))
        n_folds = min(int(self.cv), np.bincount(codes).max())
        if n_folds < 2:
            return []
        (seed,) = draw_seeds(self.random_state, 1)
        with warnings.catch_warnings():
            # A class with fewer tracks than folds is missing from some of them.
            warnings.simplefilter("ignore", UserWarning)
            splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
            return list(splitter.split(codes, codes))

    def _pair_scores(self, estimator: Any, X: Any) -> Array:
        """Return the score of each pair of classes; NaN where the classifier knows only one.

        A positive score is in favour of the first class of its pair.
        """
        scores = estimator.decision_function(X)
        n_classes = len(self.classes_)
        known = np.searchsorted(self.classes_, estimator.classes_)
        first, second = np.triu_indices(len(known), 1)
        if scores.ndim == 1:  # of two classes, where positive scores are for the second
            scores = -scores[:, np.newaxis]
        elif getattr(final_classifier(estimator), "decision_function_shape", "ovr") != "ovo":
            scores = scores[:, first] - scores[:, second]
        place = np.zeros((n_classes, n_classes), dtype=int)
        place[np.triu_indices(n_classes, 1)] = np.arange(n_classes * (n_classes - 1) // 2)
        out = np.full((len(scores), n_classes * (n_classes - 1) // 2), np.nan)
        out[:, place[known[first], known[second]]] = scores
        return out

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_features)
            As for ``fit``.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_classes)
            Rows sum to one; columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        scores = self._pair_scores(self.estimator_, X)
        return class_proba(scores * self.slopes_ + self._pair_offsets(), len(self.classes_))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each track.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_features)
            As for ``fit``.

        Returns
        -------
        y : ndarray of shape (n_tracks,)
            Labels as they were given to ``fit``.
        """
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    def get_metadata_routing(self) -> MetadataRouter:
        """Return where metadata go: those of ``fit`` to the classifier's ``fit``.

        Returns
        -------
        routing : MetadataRouter
            What scikit-learn asks meta-estimators for.
        """
        return MetadataRouter(owner=self).add(
            estimator=self.estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit")
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "slopes_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags
