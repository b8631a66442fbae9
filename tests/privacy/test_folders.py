"""Folders that are their owner's alone."""

import os

from llmtel.privacy.folders import make_private


def test_a_new_folder_and_those_on_the_way_to_it_are_their_owners_alone(tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    there.chmod(0o755)
    before = os.umask(0)
    try:
        make_private(there / "a" / "b")
    finally:
        os.umask(before)
    modes = [one.stat().st_mode & 0o777 for one in (there, there / "a", there / "a" / "b")]
    assert modes == [0o755, 0o700, 0o700]
