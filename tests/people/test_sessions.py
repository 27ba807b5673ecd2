"""Access tokens, rotating refresh tokens, and a logout that is one."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import jwt
import pytest
from sqlalchemy import text

from backend import people
from backend.kernel import clock
from backend.people.services import tokens
from backend.runtime.settings import settings
from backend.store import journal
from backend.store.unit import run_unit
from tests.people.makers import ask, by_phone, officer, slug


def refresh(corner, token, key=""):
    return ask(corner, "POST", "/mp/v1/sessions/refresh", {"refresh_token": token}, key=key)


def age_spent_tokens(seconds):
    older = text(
        "UPDATE people_refresh_token SET spent_at = spent_at - make_interval(secs => :s) WHERE spent_at IS NOT NULL"
    )
    run_unit(lambda u: u.session.execute(older, {"s": seconds}))


def token_with(**claims):
    now = int(clock.wire_seconds())
    said = {"sub": "ps-x", "sid": "se-x", "aud": "citizen", "iat": now, "exp": now + 60} | claims
    keys = settings().keys
    return jwt.encode(said, keys.tokens[keys.token_kid], "HS256", headers={"kid": keys.token_kid})


def test_no_token_is_nobody(corner):
    answer = ask(corner, "GET", "/mp/v1/me")
    assert (slug(answer), answer.headers["WWW-Authenticate"]) == ("unauthenticated", "Bearer")


@pytest.mark.parametrize(
    "token",
    [
        "garbage",
        "a.b.c",
        jwt.encode({"sub": "ps-x"}, "another key that is long enough for it", "HS256", headers={"kid": "t1"}),
        jwt.encode({"sub": "ps-x"}, "", "none"),
    ],
)
def test_a_forged_token_opens_nothing(corner, token):
    assert slug(ask(corner, "GET", "/mp/v1/me", token=token)) == "token-forged"


def test_a_token_with_altered_claims_opens_nothing(corner, letters):
    head, _, signature = by_phone(corner, letters).access.split(".")
    _, body, _ = token_with(sub="ps-other").split(".")
    assert slug(ask(corner, "GET", "/mp/v1/me", token=f"{head}.{body}.{signature}")) == "token-forged"


def test_a_signature_in_another_spelling_opens_nothing(corner, letters):
    token = by_phone(corner, letters).access
    letters_of_64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    respelt = token[:-1] + letters_of_64[letters_of_64.index(token[-1]) + 1]  # its last two bits mean nothing
    for other in (respelt, f"{token}="):
        assert slug(ask(corner, "GET", "/mp/v1/me", token=other)) == "token-forged"


def test_an_expired_token_asks_for_a_refresh(corner):
    late = int(clock.wire_seconds()) - 1
    assert slug(ask(corner, "GET", "/mp/v1/me", token=token_with(exp=late))) == "token-expired"


def test_access_tokens_live_fifteen_minutes(corner, letters):
    claims = tokens.read(by_phone(corner, letters).access, "citizen")
    assert claims.expires_at - claims.issued_at == 900


def test_a_token_for_another_window_opens_nothing(corner):
    token = officer(corner).token
    assert slug(ask(corner, "GET", "/mp/v1/me", token=token)) == "wrong-audience"


def test_a_token_of_no_session_opens_nothing(corner):
    assert slug(ask(corner, "GET", "/mp/v1/me", token=token_with())) == "session-ended"


def test_a_moved_business_clock_logs_nobody_out(corner, letters):
    citizen = by_phone(corner, letters)
    clock.advance(timedelta(days=400))
    assert citizen.ask("GET", "/me").status_code == 200


def test_refreshing_gives_a_new_pair(corner, letters):
    citizen = by_phone(corner, letters)
    pair = refresh(corner, citizen.refresh).json()
    assert pair["refresh_token"] != citizen.refresh
    assert ask(corner, "GET", "/mp/v1/me", token=pair["access_token"]).json()["id"] == citizen.id


def test_a_refresh_repeated_with_its_key_gets_the_same_successor(corner, letters):
    citizen, key = by_phone(corner, letters), secrets.token_hex(8)
    first, second = refresh(corner, citizen.refresh, key).json(), refresh(corner, citizen.refresh, key).json()
    assert first["refresh_token"] == second["refresh_token"]
    assert refresh(corner, first["refresh_token"]).status_code == 201


def test_the_register_itself_repeats_the_successor_for_a_minute(corner, letters):
    citizen, key = by_phone(corner, letters), secrets.token_hex(8)
    first = people.refresh("citizen", citizen.refresh, key)
    assert people.refresh("citizen", citizen.refresh, key).refresh_token == first.refresh_token
    age_spent_tokens(61)
    with pytest.raises(people.RefreshReused):
        people.refresh("citizen", citizen.refresh, key)


def test_a_spent_refresh_token_ends_the_whole_session(corner, letters):
    citizen = by_phone(corner, letters)
    successor = refresh(corner, citizen.refresh).json()["refresh_token"]
    assert slug(refresh(corner, citizen.refresh)) == "refresh-reused"
    assert slug(refresh(corner, successor)) == "session-ended"
    assert slug(citizen.ask("GET", "/me")) == "session-ended"


def test_a_betrayed_session_is_written_in_the_journal(corner, letters):
    citizen = by_phone(corner, letters)
    refresh(corner, citizen.refresh)
    refresh(corner, citizen.refresh)
    lines = run_unit(lambda u: journal.entries_of(u.session, citizen.id))
    assert lines[-1].trigger == "refresh_reused"
    assert run_unit(lambda u: journal.verify_chain(u.session, citizen.id)) is None


def test_two_refreshes_side_by_side_with_one_key_agree(corner, letters):
    citizen = by_phone(corner, letters)
    with ThreadPoolExecutor(8) as pool:
        pairs = list(
            pool.map(lambda _: people.refresh("citizen", citizen.refresh, "one-key-for-all"), range(8))
        )
    assert len({pair.refresh_token for pair in pairs}) == 1


def test_an_unknown_refresh_token_is_refused(corner):
    assert slug(refresh(corner, secrets.token_urlsafe(32))) == "refresh-unknown"


def test_a_citizens_refresh_token_is_not_a_couriers(corner, letters):
    citizen = by_phone(corner, letters)
    answer = ask(corner, "POST", "/courier/v1/sessions/refresh", {"refresh_token": citizen.refresh})
    assert slug(answer) == "refresh-unknown"


def test_logout_ends_access_and_refresh_at_once(corner, letters):
    citizen = by_phone(corner, letters)
    assert citizen.ask("DELETE", "/sessions/current").status_code == 204
    assert slug(citizen.ask("GET", "/me")) == "session-ended"
    assert slug(refresh(corner, citizen.refresh)) == "session-ended"


def test_logging_out_everywhere_ends_every_session(corner, letters):
    first = by_phone(corner, letters)
    second = by_phone(corner, letters, first.phone)
    second.ask("DELETE", "/sessions")
    assert {slug(one.ask("GET", "/me")) for one in (first, second)} == {"session-ended"}


def test_my_sessions_are_listed_and_one_can_be_ended(corner, letters):
    first = by_phone(corner, letters)
    second = by_phone(corner, letters, first.phone)
    listed = second.ask("GET", "/sessions").json()
    assert [one["current"] for one in listed] == [True, False]
    assert second.ask("DELETE", f"/sessions/{listed[1]['id']}").status_code == 204
    assert slug(first.ask("GET", "/me")) == "session-ended"


def test_somebody_elses_session_looks_absent(corner, letters):
    mine, other = by_phone(corner, letters), by_phone(corner, letters)
    foreign = other.ask("GET", "/sessions").json()[0]["id"]
    assert slug(mine.ask("DELETE", f"/sessions/{foreign}")) == "not-found"
    assert other.ask("GET", "/me").status_code == 200


def test_the_folded_fragment_says_the_same(corner, letters):
    citizen = by_phone(corner, letters)
    claims = tokens.read(citizen.access, "citizen")
    assert run_unit(lambda u: people.live_session(u, claims.session_id, claims.subject))
    assert not run_unit(lambda u: people.live_session(u, claims.session_id, "ps-other"))
    citizen.ask("DELETE", "/sessions/current")
    assert not run_unit(lambda u: people.live_session(u, claims.session_id, claims.subject))


def test_refresh_tokens_are_kept_only_as_digests(corner, letters):
    citizen = by_phone(corner, letters)
    kept = run_unit(lambda u: u.session.execute(text("SELECT * FROM people_refresh_token")).all())
    assert citizen.refresh not in str(kept)
