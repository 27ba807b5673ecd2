import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel import crypto

KEY, OTHER = bytes(range(32)), bytes(32)
PLACE = b"people_person.name|ps-1"
few = settings(max_examples=40, deadline=None)


@few
@given(plain=st.binary(max_size=60), place=st.binary(max_size=20))
def test_what_was_sealed_opens_unchanged(plain: bytes, place: bytes) -> None:
    sealed = crypto.seal_bytes(KEY, plain, place)
    assert crypto.open_bytes(KEY, sealed, place) == plain
    assert len(sealed) == len(plain) + 29


def test_equal_texts_are_sealed_differently() -> None:
    assert crypto.seal_bytes(KEY, b"x", PLACE) != crypto.seal_bytes(KEY, b"x", PLACE)


def test_another_key_or_place_opens_nothing() -> None:
    sealed = crypto.seal_bytes(KEY, b"x", PLACE)
    for key, place in ((OTHER, PLACE), (KEY, b"people_person.name|ps-2")):
        with pytest.raises(crypto.Unsealable):
            crypto.open_bytes(key, sealed, place)


@few
@given(place=st.integers(0, 33), change=st.integers(1, 255))
def test_any_changed_byte_is_noticed(place: int, change: int) -> None:
    sealed = bytearray(crypto.seal_bytes(KEY, b"plain", PLACE))
    sealed[place] ^= change
    with pytest.raises(crypto.Unsealable):
        crypto.open_bytes(KEY, bytes(sealed), PLACE)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" * 28, b"\x02" * 40])
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises(crypto.Unsealable):
        crypto.open_bytes(KEY, sealed, PLACE)


def test_a_blind_index_finds_equal_values_only() -> None:
    digest = crypto.blind(KEY, "people_person.phone", "13800138000")
    assert len(digest) == 32
    assert digest == crypto.blind(KEY, "people_person.phone", "13800138000")
    assert digest != crypto.blind(KEY, "people_person.phone", "13800138001")
    assert digest != crypto.blind(OTHER, "people_person.phone", "13800138000")
    assert crypto.blind(KEY, "ab", "c") != crypto.blind(KEY, "a", "bc")


def test_a_fingerprint_tells_keys_apart() -> None:
    assert len(crypto.fingerprint(KEY)) == 16
    assert crypto.fingerprint(KEY) == crypto.fingerprint(bytes(KEY)) != crypto.fingerprint(OTHER)


def test_a_short_key_is_refused() -> None:
    for attempt in (lambda: crypto.seal_bytes(b"k", b"", b""), lambda: crypto.fingerprint(b"k")):
        with pytest.raises(ValueError, match="32 bytes"):
            attempt()


def test_equal_values_have_one_spelling() -> None:
    assert crypto.canonical({"b": [1, "测"], "a": None}) == '{"a":null,"b":[1,"测"]}'.encode()
    assert crypto.canonical({"a": 1, "b": 2}) == crypto.canonical({"b": 2, "a": 1})


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(TypeError):
        crypto.canonical({"a": b"bytes"})
    with pytest.raises(ValueError, match="not JSON compliant"):
        crypto.canonical(float("nan"))
