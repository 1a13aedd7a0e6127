"""From which limits on something disturbs a measurement."""

import pytest

from fcnn_latency.measurement.machine._disturbances import find_disturbances


@pytest.mark.parametrize(
    ("key", "quiet", "disturbed"),
    [
        ("load_average", 0.5, 0.51),
        ("swap_used_bytes", 2**28, 2**28 + 1),
        ("cpu_quota", 1, 0.99),
        ("stolen_since_boot", 0.01, 0.0101),
        ("cores", 2, 1),
        ("siblings", [3], [3, 7]),
    ],
)
def test_a_limit_itself_does_not_disturb(key, quiet, disturbed):
    assert find_disturbances({key: quiet}) == []
    assert len(find_disturbances({key: disturbed})) == 1
