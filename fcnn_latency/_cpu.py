"""What the system says of the processor."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["read_cpu_flags", "read_file"]

#: Instruction sets that matter to matrix products.
FLAG_PATTERN = re.compile(
    r"sse4_2|f16c|fma|avx\w*|amx\w*|neon|fphp|asimd\w*|sve\w*|sme2?|i8mm|bf16"
)


def read_cpu_flags() -> list[str] | None:
    """Which vector instructions this CPU has, as Linux names them; None where it does not tell."""
    for line in (read_file("/proc/cpuinfo") or "").splitlines():
        if line.startswith(("flags", "Features")):
            flags = line.partition(":")[2].split()
            return sorted(flag for flag in flags if FLAG_PATTERN.fullmatch(flag))
    return None


def read_file(path: str) -> str | None:
    """Stripped text of a file of the system; None if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
