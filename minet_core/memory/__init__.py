"""The method: instance identifiers and the dynamic memory (§III of the paper).

equations     Eq. 5–8, pure, in the paper's order
identifier    Eq. 1–2: ridge regression in closed form and as running sums
support       §III-D: which boxes an identifier learns from
motion        where a remembered object can be: a term of Eq. 5
places        motion of the slots, before a frame is matched and after
association   from log-odds to pairs
slots         what is remembered of one object, and for how long
clock         time, counted in frames
dynamic       the memory itself: read, match, write
snapshot      saving a memory and going on from there
"""

from minet_core.memory.dynamic import DynamicMemory
from minet_core.memory.frame import Looked, Match, Reading

__all__ = ["DynamicMemory", "Looked", "Match", "Reading"]
