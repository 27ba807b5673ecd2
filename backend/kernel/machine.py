"""Lives of things as tables of moves: legality, ends, reachability and the drawing are derived from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.kernel.problems import ImpossibleMove

_LONGEST_WORDING = 5
"""Characters that fit a WeChat `phrase` field."""


@dataclass(frozen=True, slots=True)
class Move:
    """One step; `says` is its wording for citizens, `event` the class of the fact it makes known.

    A move without an event says in `why` why nobody else needs to hear of it. A `correction` may leave a
    terminal state.
    """

    source: str
    trigger: str
    target: str
    says: str
    event: type | None = None
    why: str = ""
    correction: bool = False


class Machine:
    """States and moves of one kind of thing; refuses an inconsistent table with ValueError."""

    def __init__(
        self,
        name: str,
        start: str,
        moves: Sequence[Move],
        says: Mapping[str, str],
        terminal: frozenset[str] = frozenset(),
    ) -> None:
        self.name, self.start, self.moves, self.terminal = name, start, tuple(moves), frozenset(terminal)
        self.states = frozenset({start, *says, *terminal, *(s for m in moves for s in (m.source, m.target))})
        self._says = dict(says)
        self._table = {(move.source, move.trigger): move for move in self.moves}
        if faults := self._faults():
            raise ValueError(f"machine {name}: " + "; ".join(faults))

    def move(self, state: str, trigger: str) -> Move:
        """The step a trigger causes in a state. Raises ImpossibleMove."""
        found = self._table.get((state, trigger))
        if found is None:
            detail = f"现在是“{self.label(state)}”，不能进行这一步，请刷新后查看最新进度。"
            raise ImpossibleMove(detail, state=state, trigger=trigger)
        return found

    def can(self, state: str, trigger: str) -> bool:
        """Whether a trigger leads anywhere from a state."""
        return (state, trigger) in self._table

    def triggers(self, state: str) -> tuple[str, ...]:
        """Triggers possible in a state, in the order of the table."""
        return tuple(move.trigger for move in self.moves if move.source == state)

    def label(self, state: str) -> str:
        """Wording of a state for citizens, at most five characters. Raises KeyError for no state of ours."""
        return self._says[state]

    def reachable(self) -> frozenset[str]:
        """States that some sequence of moves leads to from the start."""
        seen, ahead = {self.start}, [self.start]
        while ahead:
            state = ahead.pop()
            fresh = {move.target for move in self.moves if move.source == state} - seen
            seen |= fresh
            ahead.extend(fresh)
        return frozenset(seen)

    def mermaid(self) -> str:
        """The drawing, in the order of the tables, so that it changes only when they do."""
        worded = [f'    state "{wording}" as {state}' for state, wording in self._says.items()]
        steps = [f"    {move.source} --> {move.target}: {move.trigger}" for move in self.moves]
        ends = [f"    {state} --> [*]" for state in self._says if state in self.terminal]
        return "\n".join(["stateDiagram-v2", *worded, f"    [*] --> {self.start}", *steps, *ends]) + "\n"

    def _faults(self) -> list[str]:
        leaving = {move.source for move in self.moves if not move.correction}
        unexplained = [move.trigger for move in self.moves if move.event is None and not move.why]
        suspects = {
            "moves that share state and trigger": len(self.moves) - len(self._table),
            "terminal states left without a correction": sorted(leaving & self.terminal),
            "dead ends not declared terminal": sorted(self.states - leaving - self.terminal),
            "states not worded in one to five characters": sorted(filter(self._is_unworded, self.states)),
            "moves with neither event nor why": unexplained,
        }
        return [f"{fault}: {where}" for fault, where in suspects.items() if where]

    def _is_unworded(self, state: str) -> bool:
        return not 1 <= len(self._says.get(state, "")) <= _LONGEST_WORDING
