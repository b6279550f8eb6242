"""Settings: a wrong one is named with what to do, and a secret shows nowhere."""

from __future__ import annotations

import os
import traceback
from typing import Any

import pytest

from peerpause.errors import ConfigurationError
from peerpause.settings import PREFIX, Settings, load_settings, purpose, variable

SECRET = "hunter2-hunter2-hunter2-hunter2-hunter2"
SECRETS = {
    "DATABASE_URL": f"postgresql://somebody:{SECRET}@db.example.org/peerpause",
    "JWT_SECRET": SECRET,
    "SERVICE_KEY": SECRET,
    "FCM_CREDENTIALS": SECRET,
    "SMTP_URL": f"smtp://somebody:{SECRET}@mail.example.org:587",
}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def test_nothing_needs_to_be_set() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert (settings.fcm_endpoint, settings.log_level) == ("https://fcm.googleapis.com", "INFO")


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEERPAUSE_DATABASE_URL", "")
    monkeypatch.setenv("PEERPAUSE_LOG_LEVEL", "")
    settings = load_settings()
    assert (settings.database_url, settings.log_level) == (None, "INFO")


def test_a_command_line_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEERPAUSE_LOG_LEVEL", "ERROR")
    assert load_settings().log_level == "ERROR"
    assert load_settings(log_level="DEBUG").log_level == "DEBUG"


def test_a_web_address_loses_its_last_slash() -> None:
    assert load_settings(public_url="https://pause.example.org/").public_url == "https://pause.example.org"


@pytest.mark.parametrize(
    "name, wrong, told",
    [
        ("DATABASE_URL", "mysql is not a uri", "postgresql://"),
        ("DATABASE_POOL_SIZE", "0", "greater than or equal to 1"),
        ("DATABASE_POOL_SIZE", "many", "integer"),
        ("DATABASE_PREPARED_STATEMENTS", "perhaps", "boolean"),
        ("JWT_SECRET", "short", "32 bytes"),
        ("SERVICE_KEY", "short", "32 bytes"),
        ("JWKS_URL", "ftp://example.org", "https://"),
        ("FCM_ENDPOINT", "https://", "https://"),
        ("PUBLIC_URL", "https://example.org:port", "https://"),
        ("SMTP_URL", "mail.example.org", "smtp://"),
        ("LOG_LEVEL", "LOUD", "'DEBUG'"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, name: str, wrong: str, told: str
) -> None:
    monkeypatch.setenv(PREFIX + name, wrong)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    error = caught.value
    assert error.message.startswith(PREFIX + name)
    assert told in error.message
    assert error.hint is not None
    assert purpose(name.lower()) in error.hint


def test_all_wrong_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEERPAUSE_LOG_LEVEL", "LOUD")
    monkeypatch.setenv("PEERPAUSE_PUBLIC_URL", "nowhere")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert set(caught.value.detail["settings"]) == {"PEERPAUSE_LOG_LEVEL", "PEERPAUSE_PUBLIC_URL"}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_does_not_print(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(PREFIX + name, SECRETS[name])
    settings = load_settings()
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert settings.require(name.lower()) == SECRETS[name]


@pytest.mark.parametrize(
    "name, wrong",
    [
        ("DATABASE_URL", "postgresql://somebody:hunter2@[oops/peerpause"),
        ("JWT_SECRET", "hunter2"),
        ("SMTP_URL", "http://somebody:hunter2@mail.example.org"),
        ("FCM_ENDPOINT", "ftp://hunter2"),
        ("LOG_LEVEL", "hunter2"),
        ("DATABASE_POOL_SIZE", "hunter2"),
    ],
)
def test_a_refusal_does_not_repeat_the_value(monkeypatch: pytest.MonkeyPatch, name: str, wrong: str) -> None:
    monkeypatch.setenv(PREFIX + name, wrong)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    told = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in f"{told} {caught.value.hint} {caught.value.detail}"


def test_what_is_missing_is_named_with_what_to_set_it_to() -> None:
    with pytest.raises(ConfigurationError, match="^PEERPAUSE_SERVICE_KEY is not set") as caught:
        load_settings().require("service_key")
    assert caught.value.hint is not None
    assert "32 bytes" in caught.value.hint


def test_every_setting_has_a_sentence() -> None:
    fields: dict[str, Any] = dict(Settings.model_fields)
    assert [name for name in fields if not purpose(name).endswith(".")] == []
    assert all(variable(name).startswith("PEERPAUSE_") for name in fields)
