"""Information on the processor from the operating system."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

#: Folder in which Linux describes the processors.
CPU = "/sys/devices/system/cpu"

T = TypeVar("T")

#: Instruction sets that are relevant for matrix products.
FLAG_PATTERN = re.compile(
    r"sse4_2|f16c|fma|avx\w*|amx\w*|neon|fphp|asimd\w*|sve\w*|sme2?|i8mm|bf16"
)


def read_cpu_flags() -> list[str] | None:
    """Return the vector instruction sets of this CPU by their Linux names; None if unknown."""
    flags = read_cpuinfo("flags", "Features")
    if flags is None:
        return None
    return sorted(flag for flag in flags.split() if FLAG_PATTERN.fullmatch(flag))


def read_cpuinfo(*names: str) -> str | None:
    """Return the first entry of /proc/cpuinfo that starts with one of `names`; or None."""
    for line in (read_file("/proc/cpuinfo") or "").splitlines():
        if line.startswith(names):
            return line.partition(":")[2].strip()
    return None


def read_file(path: str) -> str | None:
    """Return the stripped text of a system file; None if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None


def thread_siblings(core: int) -> list[int] | None:
    """Return all hardware threads of the physical core of `core`; None if unknown."""
    text = read_file(f"{CPU}/cpu{core}/topology/thread_siblings_list")
    if not text:
        return None
    siblings: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        siblings += range(int(first), int(last or first) + 1)
    return siblings


def ask(question: Callable[[], T]) -> T | None:
    """Return the result of `question`, or None if it raises any exception.

    Systems fail in more ways than can be listed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return question()
    except Exception:
        return None
