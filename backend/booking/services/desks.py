"""Clerks open and shut their windows for today; tomorrow the plan has the say again."""

from backend.booking.hall.questions import window_view
from backend.booking.hall.views import WindowView
from backend.booking.models import WindowRow
from backend.booking.services.hall import hand_back, require_free, window_locked
from backend.kernel import clock
from backend.store.unit import Actor, Unit


def open_window(u: Unit, window_id: str, by: Actor) -> WindowView:
    """Serve at a window today. Raises NotYours."""
    return _set(u, window_locked(u, window_id), True, by)


def shut_window(u: Unit, window_id: str, by: Actor, *, hand_over: bool = False) -> WindowView:
    """Call nobody at a window any more today.

    Whoever stands there is served first; with `hand_over` they wait again instead, with number and place in time, for
    another open window of the group. Raises NotYours, WindowBusy.
    """
    window = window_locked(u, window_id)
    if hand_over:
        hand_back(u, window, by)
    else:
        require_free(u, window)
    return _set(u, window, False, by)


def _set(u: Unit, window: WindowRow, is_open: bool, by: Actor) -> WindowView:
    """Said twice, it changes and tells nothing."""
    if window.is_open_on(clock.today()) != is_open:
        window.today_on, window.today_open = clock.today(), is_open
        what, says = ("window_opened", "窗口今天开放") if is_open else ("window_shut", "窗口今天停止叫号")
        u.note(window.site_id, window.id, what, by=by, says=says, facts={"window": window.number})
    return window_view(window)
