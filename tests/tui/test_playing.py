"""The command that plays a clip: what it names, how it quotes, which player it takes."""

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.auditing import AuditRequest
from tui.playing import play_command


def only(*players: str) -> object:
    return lambda name: f"/bin/{name}" if name in players else None


@pytest.mark.parametrize(
    ("players", "file", "part", "expected"),
    [
        (("ffplay", "aplay"), "a.wav", (0.0, None), "ffplay -nodisp -autoexit a.wav"),
        (("aplay",), "a.wav", (0.0, None), "aplay a.wav"),
        (("aplay",), "a.flac", (0.0, None), "ffplay -nodisp -autoexit a.flac"),
        (("aplay", "play"), "a.wav", (1.0, 3.5), "play a.wav trim 1 2.5"),
        (("afplay",), "a.wav", (1.0, None), "ffplay -nodisp -autoexit -ss 1 a.wav"),
        (("play",), "-a b.wav", (0.0, None), "play './-a b.wav'"),
    ],
)
def test_the_command(players: tuple[str, ...], file: str, part: tuple[float, float | None], expected: str) -> None:
    assert play_command(Path(file), *part, found=only(*players)).command == expected  # type: ignore[arg-type]


def test_it_is_said_when_no_player_is_here() -> None:
    assert not play_command(Path("a.wav"), found=only()).installed  # type: ignore[arg-type]
    assert play_command(Path("a.wav"), found=only("play")).installed  # type: ignore[arg-type]


@given(st.text(st.characters(exclude_characters="\0/", codec="utf-8"), min_size=1, max_size=20))
def test_a_name_is_one_word_and_obeys_nothing(name: str) -> None:
    command = play_command(Path("x", name), found=only("play")).command  # type: ignore[arg-type]

    assert command.isprintable()
    if name.isprintable():
        assert shlex.split(command) == ["play", str(Path("x", name))]


def test_a_shell_reads_a_spelled_name_back() -> None:
    file = Path("clips/a'\\\x1b[2J\né.wav")
    words = play_command(file, found=only("play")).command.removeprefix("play ")
    printed = subprocess.run(["bash", "-c", f"printf %s {words}"], capture_output=True, check=True).stdout

    assert printed.decode() == str(file)


def test_the_request_and_its_command_say_the_same() -> None:
    request = AuditRequest(
        Path("my clips.csv"), {"group": "who"}, ("r1", "r2"), "regression", (0.0, 10.0), Path("/a"), True
    )

    assert request.command("--repair", "new.csv") == (
        "tonmeister audit --group who --rater r1 --rater r2 --task regression --scale 0 10 --audio-root /a "
        "--manifest-only --repair new.csv 'my clips.csv'"
    )
    assert request.arguments() == {
        "group": "who", "raters": ("r1", "r2"), "task": "regression", "scale": (0.0, 10.0), "audio_root": Path("/a"),
        "decode": False,
    }  # fmt: skip
