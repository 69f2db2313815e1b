"""The method: instance identifiers and the dynamic memory (§III of the paper).

equations     Eq. 5–8, pure, in the paper's order
identifier    Eq. 1–2: ridge regression in closed form and as running sums
support       §III-D: which boxes an identifier learns from
motion        where a remembered object can be: a term of Eq. 5
places        predict and update the motion of all slots
association   from log-odds to pairs
slots         one remembered object, and how long it is kept
returns       an object that reappears under a new slot gets its old id back
clock         time, counted in frames
frame         the records of one frame: input, reading, match
dynamic       the memory itself: read, match, write
snapshot      save and restore a memory
"""

from minet_core.memory.dynamic import DynamicMemory
from minet_core.memory.frame import Looked, Match, Reading

__all__ = ["DynamicMemory", "Looked", "Match", "Reading"]
