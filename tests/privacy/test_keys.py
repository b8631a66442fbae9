"""Where a key is; and that it is shown nowhere."""

import base64
import sys

import pytest

from llmtel.core.errors import ConfigError, UsageError
from llmtel.document import Document
from llmtel.privacy.keys import KeySource, make_file, source_in

KEY = bytes(range(32))
HEX, BASE64 = KEY.hex(), base64.b64encode(KEY).decode()


def at(kind, name):
    return KeySource(kind, str(name), "llmtel.yaml:3")


def parsed(text, folder, others=()):
    return source_in(Document("llmtel.yaml", text.encode()).top.items()["encryption"], folder, others)[0]


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key"
    path.write_text(HEX + "\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("text", [HEX, HEX.upper(), BASE64, f" {HEX}\n"])
def test_a_key_is_hex_or_base64_in_a_variable_a_file_or_what_a_command_prints(text, key_file, monkeypatch):
    monkeypatch.setenv("SECRET", text)
    key_file.write_text(text)
    assert at("key_env", "SECRET").key() == KEY
    assert at("key_file", key_file).key() == KEY
    assert at("key_command", f"cat '{key_file}'").key() == KEY


@pytest.mark.parametrize("text", ["", HEX[:-1], HEX + "0", "hunter2" * 8, BASE64[:-4]])
def test_what_is_no_key_is_refused_and_not_repeated(text, monkeypatch):
    monkeypatch.setenv("SECRET", text)
    with pytest.raises(
        UsageError, match=r"^llmtel.yaml:3: the environment variable SECRET: .* 32 bytes"
    ) as told:
        at("key_env", "SECRET").key()
    assert not text or text not in str(told.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(mode, key_file):
    key_file.chmod(mode)
    with pytest.raises(UsageError, match="chmod 600"):
        at("key_file", key_file).key()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (at("key_env", "NO_SUCH"), "there is no environment variable NO_SUCH"),
        (at("key_file", "/nonexistent/key"), "no such file"),
        (at("key_command", "/nonexistent/tool hush"), "the command /nonexistent/tool cannot be run: no such"),
        (at("key_command", "echo 'hush"), "the command echo cannot be run: its quotes"),
        (at("key_command", f"{sys.executable} -c raise(SystemExit(3)) hush"), "exit code 3"),
        (at("key_command", "cat nowhere | base64"), "exit code 1; it is run without a shell"),
    ],
)
def test_a_place_without_a_key_says_so_and_no_more(source, words):
    with pytest.raises(UsageError, match=words) as told:
        source.key()
    assert "hush" not in str(told.value)


@pytest.mark.parametrize("text", [HEX, BASE64])
@pytest.mark.parametrize(
    "line", ["{{key: {}}}", "{{key_env: {}}}", "{{key_file: {}}}", "{{key_command: {}}}", "{}"]
)
def test_a_key_in_the_configuration_is_an_error_that_does_not_repeat_it(line, text, tmp_path):
    with pytest.raises(ConfigError, match=r"^llmtel.yaml:2: encryption") as told:
        parsed("tz: UTC\nencryption: " + line.format(f"'{text}'"), tmp_path)
    assert text not in str(told.value)
    assert "key_env" in str(told.value)


def test_a_key_in_an_option_is_an_error_that_does_not_repeat_it():
    with pytest.raises(UsageError, match="--key-env: a key is never written here") as told:
        KeySource("key_env", HEX, "--key-env")
    assert HEX not in str(told.value)


@pytest.mark.usefixtures("key_file")
def test_the_configuration_names_one_place_and_paths_are_beside_it(tmp_path):
    assert parsed("encryption: {key_file: key}", tmp_path).key() == KEY
    assert parsed("encryption: {key_env: A_KEY}", tmp_path).name == "A_KEY"
    assert parsed("encryption: {use: true}", tmp_path, ("use",)) is None
    with pytest.raises(ConfigError, match="one of them"):
        parsed("encryption: {key_env: A, key_file: b}", tmp_path)
    with pytest.raises(ConfigError, match="did you mean key_env"):
        parsed("encryption: {keyenv: A}", tmp_path)


def test_a_new_key_is_for_its_owner_alone_and_never_written_over(tmp_path):
    path = tmp_path / "llmtel" / "new.key"
    assert make_file(path)
    key = at("key_file", path).key()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not make_file(path)
    assert at("key_file", path).key() == key
    assert [one.name for one in path.parent.iterdir()] == ["new.key"]


def test_no_representation_has_a_key(key_file):
    assert HEX not in repr(at("key_file", key_file))
