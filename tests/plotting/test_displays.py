"""What all displays share: the given axes, a figure of their own, matplotlib on demand."""

from __future__ import annotations

import sys

import pytest
from _displays import undrawn

import skgenre

NAMES = sorted(name for name in skgenre.__all__ if name.endswith("Display"))


@pytest.mark.parametrize("name", NAMES)
def test_a_given_ax_is_used_and_no_figure_made(name, plt):
    _, (first, second) = plt.subplots(1, 2)
    display = undrawn(name)
    assert display.plot(second) is display
    assert display.ax_ is second
    assert display.figure_ is second.figure
    assert second.has_data()
    assert not first.has_data()
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_without_ax_each_plot_has_a_figure_of_its_own(name, plt):
    display = undrawn(name).plot()
    first = display.figure_
    assert display.plot().figure_ is not first
    assert len(plt.get_fignums()) == 2
    display.figure_.canvas.draw()  # the layout has room, or warns


@pytest.mark.parametrize("name", NAMES)
def test_something_else_than_axes_is_refused(name):
    with pytest.raises(
        TypeError, match=f"{name}.plot draws into a matplotlib Axes; got ax of type"
    ):
        undrawn(name).plot(object())


@pytest.mark.parametrize("name", NAMES)
def test_drawing_does_not_change_the_display(name):
    display = undrawn(name)
    before = {key: repr(value) for key, value in vars(display).items()}
    display.plot()
    assert {key: repr(vars(display)[key]) for key in before} == before


@pytest.mark.parametrize("name", NAMES)
def test_without_matplotlib_the_extra_is_named(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "skgenre\[plot\]"'):
        undrawn(name).plot()
