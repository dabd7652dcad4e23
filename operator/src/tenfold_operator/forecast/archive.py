"""An ensemble's arrays by name, and an ensemble from such arrays once they have been checked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tenfold_operator.forecast import features, statistical
from tenfold_operator.forecast.behavioural import COLUMNS, Habit
from tenfold_operator.forecast.calibration import Spread
from tenfold_operator.forecast.days import Days
from tenfold_operator.forecast.drift import Monitor
from tenfold_operator.forecast.ensemble import Ensemble
from tenfold_operator.forecast.forest import Forest
from tenfold_operator.forecast.history import ARRAYS, History
from tenfold_operator.forecast.members import HORIZONS, KNOTS, Learned, Members
from tenfold_operator.forecast.network import Network
from tenfold_operator.forecast.reasons import Track
from tenfold_operator.forecast.types import FAMILIES, LEVELS, Floats

_COUNTERS = ("steps", "zero_steps", "steps_since_zero")
_LAYERS = 3
_FORESTS = ("near", "far", "width")
_LINKS = ("feature", "left", "roots")
_DEEPEST = 64
_WIDEST_STATE = 16


class Rejected(Exception):
    """What was to be loaded is no model that this version may use; says why."""


def arrays_of(ensemble: Ensemble) -> dict[str, NDArray[np.generic]]:
    """Return all that an ensemble is, as arrays of floats, integers and truth values."""
    history, track, monitor = ensemble.history, ensemble.track, ensemble.monitor
    space, learned = ensemble.members.statistical, ensemble.members.learned
    held = slice(history.last + 1 - history.lookback, history.last + 1)
    found: dict[str, NDArray[np.generic]] = {
        **{f"history.{name}": getattr(history, name)[held] for name in (*ARRAYS, "known")},
        "history.day_table": history.day_table,
        "history.week_table": history.week_table,
        "history.numbers": np.array([history.scale, history.lone_zero_level]),
        "history.counters": np.array([getattr(history, name) for name in _COUNTERS]),
        "statistical.transition": space.transition,
        "statistical.design": space.design,
        "statistical.gain": space.gain,
        "statistical.centre": np.array([space.centre]),
        "statistical.seasonal": np.array([space.seasonal]),
        "statistical.order": np.array(space.order),
        "statistical.state": ensemble.state,
        "track.errors": track.errors,
        "track.ensemble": track.ensemble,
        "track.last_value": track.last_value,
        "track.held": track.held,
        "track.quantiles": track.quantiles,
        "track.spread": np.stack((track.spread.root, track.spread.share, track.spread.least)),
        "track.load": np.array([track.load]),
        "track.known_steps": np.array([track.known_steps]),
        "monitor.edges": monitor.edges,
        "monitor.shares": monitor.shares,
        "monitor.numbers": np.array([monitor.rate, monitor.score]),
        "monitor.steps": np.array([monitor.steps]),
    }
    if learned is not None:
        found |= _learned_arrays(learned)
    return found


def _learned_arrays(learned: Learned) -> dict[str, NDArray[np.generic]]:
    found: dict[str, NDArray[np.generic]] = {
        "habit": learned.habit.coefficients,
        "network.mean": learned.network.mean,
        "network.scale": learned.network.scale,
    }
    for layer, (weights, biases) in enumerate(
        zip(learned.network.weights, learned.network.biases, strict=True)
    ):
        found |= {f"network.weights{layer}": weights, f"network.biases{layer}": biases}
    for name in _FORESTS:
        forest: Forest = getattr(learned, name)
        found |= {
            f"{name}.feature": forest.feature,
            f"{name}.threshold": forest.threshold,
            f"{name}.left": forest.left,
            f"{name}.value": forest.value,
            f"{name}.roots": forest.roots,
            f"{name}.base": np.array([forest.base]),
            f"{name}.depth": np.array([forest.depth]),
        }
    return found


def ensemble_of(arrays: Mapping[str, NDArray[np.generic]], days: Days) -> Ensemble:
    """Return the ensemble whose arrays these are.

    Raises:
        Rejected: An array is missing, or is not what it has to be.
    """
    checked = _Checked(arrays)
    history = _history(checked, days)
    design = checked.floats("statistical.design", (None,))
    order = checked.whole("statistical.order", (3,))
    width = len(design)
    if not 1 <= width <= _WIDEST_STATE:
        raise Rejected(f"statistical.design: {width} numbers, 1 to {_WIDEST_STATE} are a state")
    space = statistical.space(
        checked.floats("statistical.transition", (width, width)),
        design,
        checked.floats("statistical.gain", (width,)),
        horizons=HORIZONS,
        centre=float(checked.floats("statistical.centre", (1,))[0]),
        seasonal=bool(checked.truths("statistical.seasonal", (1,))[0]),
        order=(int(order[0]), int(order[1]), int(order[2])),
    )
    members = Members(space, _learned(checked) if "habit" in arrays else None)
    state = checked.floats("statistical.state", (width,))
    return Ensemble(history, members, state, _track(checked), _monitor(checked))


def _history(checked: _Checked, days: Days) -> History:
    scale, lone = checked.floats("history.numbers", (2,))
    if not scale > 0:
        raise Rejected(f"history.numbers: a scale of {scale}, it has to be positive")
    history = History(days, float(scale))
    shape = (history.lookback,)
    for name in ARRAYS:
        getattr(history, name)[: history.lookback] = checked.floats(
            f"history.{name}", shape, nan=True
        )
    history.known[: history.lookback] = checked.truths("history.known", shape)
    history.day_table = checked.floats("history.day_table", history.day_table.shape, nan=True)
    history.week_table = checked.floats("history.week_table", history.week_table.shape, nan=True)
    history.lone_zero_level = float(lone)
    for name, count in zip(_COUNTERS, checked.whole("history.counters", (3,)), strict=True):
        setattr(history, name, int(count))
    if not np.isfinite(history.sums[history.last]) or (
        history.steps and not np.isfinite(history.level[history.last])
    ):
        raise Rejected("history: the last step has no level")
    return history


def _track(checked: _Checked) -> Track:
    knots = len(KNOTS)
    spread = checked.floats("track.spread", (3, knots))
    if (spread < 0).any() or not (spread[2] > 0).all():
        raise Rejected("track.spread: a usual error that is not positive")
    return Track(
        errors=checked.floats("track.errors", (len(FAMILIES), knots), nan=True),
        ensemble=checked.floats("track.ensemble", (knots,)),
        last_value=checked.floats("track.last_value", (knots,)),
        held=checked.floats("track.held", (knots,)),
        quantiles=checked.floats("track.quantiles", (len(LEVELS), knots)),
        spread=Spread(*spread),
        load=float(checked.floats("track.load", (1,))[0]),
        known_steps=int(checked.whole("track.known_steps", (1,))[0]),
    )


def _monitor(checked: _Checked) -> Monitor:
    monitor = Monitor(checked.floats("monitor.edges", (9,)), 1)
    monitor.shares = checked.floats("monitor.shares", (10,))
    monitor.rate, monitor.score = map(float, checked.floats("monitor.numbers", (2,)))
    monitor.steps = int(checked.whole("monitor.steps", (1,))[0])
    return monitor


def _learned(checked: _Checked) -> Learned:
    weights, biases, width = [], [], features.SHARED
    for layer in range(_LAYERS):
        weights.append(checked.floats(f"network.weights{layer}", (width, None)))
        width = weights[-1].shape[1]
        biases.append(checked.floats(f"network.biases{layer}", (width,)))
    if width != 1:
        raise Rejected(f"network: {width} outputs, it has one")
    network = Network(
        checked.floats("network.mean", (features.SHARED,)),
        checked.floats("network.scale", (features.SHARED,)),
        tuple(weights),
        tuple(biases),
    )
    if not (network.scale > 0).all():
        raise Rejected("network.scale: a scale that is not positive")
    near, far, spread = (_forest(checked, name) for name in _FORESTS)
    habit = Habit(checked.floats("habit", (len(KNOTS), len(COLUMNS) + 1)))
    return Learned(network, near, far, habit, spread)


def _forest(checked: _Checked, name: str) -> Forest:
    threshold = checked.floats(f"{name}.threshold", (None,), infinite=True)
    nodes = len(threshold)
    feature, left, roots = (
        checked.whole(f"{name}.{link}", (nodes,) if link != "roots" else (None,)) for link in _LINKS
    )
    depth = int(checked.whole(f"{name}.depth", (1,))[0])
    inside = (
        ((feature >= 0) & (feature < features.COUNT)).all()
        and ((roots >= 0) & (roots < nodes)).all()
        # An infinite threshold never sends to the right; all others need both children.
        and ((left >= 0) & (left < np.where(np.isposinf(threshold), nodes, nodes - 1))).all()
    )
    if not inside or not 0 <= depth <= _DEEPEST:
        raise Rejected(f"{name}: links of its trees lead outside")
    value = checked.floats(f"{name}.value", (nodes,))
    base = float(checked.floats(f"{name}.base", (1,))[0])
    return Forest(feature, threshold, left, value, roots, base, depth)


class _Checked:
    """Arrays by name, each with the type and shape that it has to have."""

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        self._arrays = arrays

    def floats(
        self, name: str, shape: tuple[int | None, ...], *, nan: bool = False, infinite: bool = False
    ) -> Floats:
        array = self._get(name, np.dtype(np.float64), shape).astype(np.float64)
        if (not nan and np.isnan(array).any()) or (not infinite and np.isinf(array).any()):
            raise Rejected(f"{name}: a number that is none")
        return array

    def whole(self, name: str, shape: tuple[int | None, ...]) -> NDArray[np.int64]:
        return self._get(name, np.dtype(np.int64), shape).astype(np.int64)

    def truths(self, name: str, shape: tuple[int | None, ...]) -> NDArray[np.bool_]:
        return self._get(name, np.dtype(np.bool_), shape).astype(np.bool_)

    def _get(
        self, name: str, dtype: np.dtype[np.generic], shape: tuple[int | None, ...]
    ) -> NDArray[np.generic]:
        if name not in self._arrays:
            raise Rejected(f"{name}: missing")
        array = self._arrays[name]
        fits = array.ndim == len(shape) and all(
            want in (None, have) for want, have in zip(shape, array.shape, strict=True)
        )
        if array.dtype != dtype or not fits or not array.size:
            raise Rejected(f"{name}: {array.dtype} of shape {array.shape}, not {dtype} of {shape}")
        return array
