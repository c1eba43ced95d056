"""A course is flat when its end is about where its beginning was, whatever happened between."""

import pytest

from bench.report.flat import Course, courses_table


@pytest.mark.parametrize(
    ("values", "flat"),
    [
        ([100.0] * 20, True),
        ([100.0, 100.0] + [900.0] * 16 + [104.0, 104.0], True),  # a peak that goes
        ([100.0, 900.0, 100.0] + [100.0] * 26 + [900.0], True),  # one odd look at each end
        ([100.0 + 2 * number for number in range(20)], False),
        ([90.0, 90.0] + [100.0] * 16 + [104.0, 104.0], True),
        ([90.0, 90.0] + [100.0] * 16 + [105.0, 105.0], False),
    ],
)
def test_a_course_is_flat_up_to_a_tenth_and_a_few(values: list[float], flat: bool) -> None:  # noqa: FBT001
    assert Course("API", "memory", values).is_flat is flat


def test_the_table_says_what_grows() -> None:
    said = courses_table([Course("API", "memory", [80.0, 80.0, 200.0], " MiB"), Course("API", "descriptors", [30, 30])])
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.splitlines()[2:]]
    assert cells == [
        ["API", "memory", "80 MiB", "200 MiB", "200 MiB", "**not flat**"],
        ["API", "descriptors", "30", "30", "30", "flat"],
    ]
