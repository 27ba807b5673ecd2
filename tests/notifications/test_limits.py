"""What platforms take: lengths of texts, values of variables, fields of cards."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel import clock
from notifications.channels import sms_text, wechat_fields
from notifications.kinds import KINDS, end_of, first_hour
from simulators import wechat_fields as platform

FIELDS = (
    "thing1",
    "phrase2",
    "character_string3",
    "number4",
    "letter5",
    "name6",
    "car_number7",
    "phone_number8",
)
TODAY = clock.day_of(clock.wire_now())


@pytest.mark.parametrize(("length", "parts"), [(70, 1), (71, 2), (134, 2), (135, 3), (150, 3), (160, 3)])
def test_a_text_is_billed_in_parts(length: int, parts: int) -> None:
    assert sms_text.parts("字" * length) == parts


@given(st.text(max_size=80))
def test_a_variable_is_made_to_fit(text: str) -> None:
    value = sms_text.value(text)
    assert len(value) <= 35
    assert not set("【】\n") & set(value)
    assert "http://" not in value


@pytest.mark.parametrize("field", FIELDS)
@given(text=st.text(max_size=60))
def test_any_words_are_made_to_fit_a_field(field: str, text: str) -> None:
    assert platform.fits(field, wechat_fields.fit(field, text))


@pytest.mark.parametrize(
    ("field", "text", "fitting"),
    [
        ("phrase2", "补正材料待提交中", "补正材料待"),
        ("phrase2", "", "请查看"),
        ("thing1", "字" * 21, "字" * 19 + "…"),
        ("character_string3", "编号BZ7K3M", "BZ7K3M"),
        ("amount2", "80.00元", "80.00元"),
        ("time2", "11月25日09:30", "11月25日09:30"),
    ],
)
def test_words_are_shortened_as_people_would(field: str, text: str, fitting: str) -> None:
    assert wechat_fields.fit(field, text) == fitting
    assert platform.fits(field, fitting)


@pytest.mark.parametrize(("field", "text"), [("amount2", "待定"), ("time2", "约定时间")])
def test_what_cannot_be_shortened_honestly_is_no_card(field: str, text: str) -> None:
    with pytest.raises(wechat_fields.DoesNotFit):
        wechat_fields.fit(field, text)


@pytest.mark.parametrize(
    ("hour", "waits_until"), [(21, None), (22, 32), (23, 32), (0, 8), (7, 8), (8, None), (12, None)]
)
def test_quiet_hours_hold_back_what_can_wait(hour: int, waits_until: int | None) -> None:
    now = clock.at_local(TODAY, hour, 30 if hour == 7 else 0)
    kind = KINDS["correction_requested"]
    goes = first_hour(kind, now, now + kind.life)
    morning = clock.start_of_day(TODAY) + timedelta(hours=waits_until or 0)
    assert goes == (now if waits_until is None else morning)


def test_what_would_be_pointless_by_morning_goes_now() -> None:
    night = clock.at_local(TODAY, 23)
    kind = KINDS["parcel_troubled"]
    assert first_hour(kind, night, night + timedelta(hours=2)) == night


def test_a_message_dies_with_its_event() -> None:
    now = clock.at_local(TODAY, 10)
    kind = KINDS["booking_confirmed"]
    assert end_of(kind, now, now + timedelta(hours=1)) == now + timedelta(hours=1)
    assert end_of(kind, now, now + timedelta(days=9)) == now + kind.life
