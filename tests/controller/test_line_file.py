"""The line file: what it keeps over a crash, and what it does not believe."""

from __future__ import annotations

import pytest

from controller.lines import LineFile, make_run_dir


def test_the_last_state_of_every_output_is_kept_without_a_clean_end(line_file):
    line_file(siren=False, aircon=True).write("siren", True)
    assert line_file(siren=False, aircon=False).kept == {"siren": True, "aircon": True}


def test_the_file_of_another_boot_is_not_believed(line_file):
    line_file(siren=False).write("siren", True)
    other = line_file("boot-2", siren=False)
    assert other.kept is None
    assert not other.was_missing
    assert line_file("boot-2", siren=True).kept == {"siren": False}


def test_the_file_of_another_pace_is_not_believed(line_file):
    line_file("boot-1 1", siren=True)
    assert line_file("boot-1 10", siren=False).kept is None


def test_a_file_that_is_not_there_is_told_from_one_of_another_boot(line_file):
    first = line_file(siren=False)
    assert first.kept is None
    assert first.was_missing


@pytest.mark.parametrize("content", [b"", b"boot-1", b"\xff" * 8192, b"\0" * 8192, b"x" * 9000])
def test_a_file_that_makes_no_sense_is_not_believed(line_file, tmp_path, content):
    (tmp_path / "lines").write_bytes(content)
    assert line_file(siren=True).kept is None
    assert line_file(siren=False).kept == {"siren": True}


def test_an_output_that_the_room_no_longer_has_takes_no_place(line_file):
    line_file(siren=True, beacon=True)
    assert line_file(siren=False).kept == {"siren": True, "beacon": True}
    assert line_file(siren=False).kept == {"siren": True}


def test_the_longest_ids_do_not_run_into_each_other(tmp_path):
    ids = {letter * 40: letter == "b" for letter in "abc"}
    LineFile(tmp_path / "lines", "boot-1", ids)
    assert LineFile(tmp_path / "lines", "boot-1", ids).kept == ids


def test_a_run_directory_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        make_run_dir(tmp_path / "file" / "run")
