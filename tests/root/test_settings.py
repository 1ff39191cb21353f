"""Settings from environment variables."""

import pytest

from utils.errors import ConfigError
from utils.paths import PROJECT
from utils.settings import get_settings


def test_defaults_ask_no_server_on_the_internet() -> None:
    assert get_settings().rtc_configuration() == {"iceServers": []}


def test_a_checkout_keeps_its_database_itself() -> None:
    assert get_settings().database_url == f"sqlite:///{PROJECT / 'recordings.sqlite'}"


def test_ice_servers_are_passed_on_as_the_browser_expects_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    servers = (
        '[{"urls": ["turn:t.example.org"], "username": "u", "credential": "c"}, {"urls": "stun:s"}]'
    )
    monkeypatch.setenv("EMOTION_ICE_SERVERS", servers)
    assert get_settings().rtc_configuration() == {
        "iceServers": [
            {"urls": ["turn:t.example.org"], "username": "u", "credential": "c"},
            {"urls": "stun:s"},
        ]
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMOTION_INTERVAL", "0"),
        ("EMOTION_TAU", "fast"),
        ("EMOTION_THREADS", "-1"),
        ("EMOTION_ICE_SERVERS", "stun:example.org"),
        ("EMOTION_ICE_SERVERS", '[{"url": "stun:example.org"}]'),
    ],
)
def test_impossible_values_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        get_settings()
