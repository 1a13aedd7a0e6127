"""What the system says of the processor."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

#: Where Linux describes the processors.
CPU = "/sys/devices/system/cpu"

T = TypeVar("T")

#: Instruction sets that matter to matrix products.
FLAG_PATTERN = re.compile(
    r"sse4_2|f16c|fma|avx\w*|amx\w*|neon|fphp|asimd\w*|sve\w*|sme2?|i8mm|bf16"
)


def read_cpu_flags() -> list[str] | None:
    """Which vector instructions this CPU has, as Linux names them; None where it does not tell."""
    flags = read_cpuinfo("flags", "Features")
    if flags is None:
        return None
    return sorted(flag for flag in flags.split() if FLAG_PATTERN.fullmatch(flag))


def read_cpuinfo(*names: str) -> str | None:
    """What Linux says of the first core under the first of some names that it has; or None."""
    for line in (read_file("/proc/cpuinfo") or "").splitlines():
        if line.startswith(names):
            return line.partition(":")[2].strip()
    return None


def read_file(path: str) -> str | None:
    """Stripped text of a file of the system; None if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None


def thread_siblings(core: int) -> list[int] | None:
    """Hardware threads of a core's physical core, itself included; None if the system is mute."""
    text = read_file(f"{CPU}/cpu{core}/topology/thread_siblings_list")
    if not text:
        return None
    siblings: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        siblings += range(int(first), int(last or first) + 1)
    return siblings


def ask(question: Callable[[], T]) -> T | None:
    """What the system answers, or None: systems refuse in more ways than can be listed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return question()
    except Exception:
        return None
