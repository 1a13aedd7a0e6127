"""Files are written whole or not at all."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils import Bunch

from fcnn_latency import compare, load_dataset, load_example_dataset, save_dataset
from fcnn_latency._files import check_writable, write_whole


def test_what_cannot_be_described_leaves_both_files_as_they_were(tmp_path):
    dataset = load_example_dataset()
    path = tmp_path / "labels.csv"
    save_dataset(dataset, path)
    before = [file.read_bytes() for file in sorted(tmp_path.iterdir())]
    with pytest.raises(TypeError):
        save_dataset(Bunch(**{**dataset, "runtime": object()}), path)
    assert [file.read_bytes() for file in sorted(tmp_path.iterdir())] == before


def test_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    written = save_dataset(load_example_dataset(), "~/labels.csv")
    assert sorted(tmp_path.iterdir()) == sorted(written)
    assert load_dataset("~/labels.csv").runtime == "litert"


def test_comparison_goes_into_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    X = np.array([[3, 3], [5, 5], [8, 8], [9, 9]])
    compare(X, X[:, 0] * 1e-6, estimators=["flops"], cv=2).to_csv("~/table.csv")
    assert (tmp_path / "table.csv").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_written_to_and_stays_one(tmp_path):
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    read = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    write_whole(path, b"layer_1")
    reader.join(10)
    assert read == [b"layer_1"]
    assert path.is_fifo()


def test_a_link_is_followed(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_whole(link, b"new")
    assert target.read_bytes() == b"new"
    assert link.is_symlink()


def test_checking_makes_nothing_and_writing_makes_the_folder(tmp_path):
    path = tmp_path / "new" / "deeper" / "labels.csv"
    assert check_writable(str(path)) == path
    assert list(tmp_path.iterdir()) == []
    write_whole(path, b"written")
    assert path.read_bytes() == b"written"


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=r"cannot be written: .*file is a file"):
        check_writable(tmp_path / "file" / "deeper" / "labels.csv")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(PermissionError, match="cannot be written"):
        check_writable(Path(tmp_path))
