import pytest

from town import weather
from town.trouble import Trouble


def test_every_story_is_told_unless_some_are_named() -> None:
    names = [file.name for file in weather.wanted("")]
    assert {"test_booking_rush.py", "test_sudden_deaths.py"} <= set(names)


def test_a_story_is_named_without_its_prefix() -> None:
    assert [file.name for file in weather.wanted("booking_rush")] == ["test_booking_rush.py"]


def test_a_story_nobody_knows_is_refused() -> None:
    with pytest.raises(Trouble, match="no weather is called hail; there are booking_rush"):
        weather.wanted("booking_rush,hail")
